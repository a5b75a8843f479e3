import { randomBytes } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, inject, it, onTestFinished } from 'vitest'
import { mapBounded } from '../../src/base/map-bounded.ts'
import { runCli, startCli, temporaryFolder } from './support/cli.ts'
import { connectRedis, ownRedis } from './support/redis.ts'
import { download, listKeys, plainS3Client, s3Environment } from './support/s3.ts'
import { uniqueName } from './support/topics.ts'

const canary = (name: string): string => `canary-${name}-${randomBytes(8).toString('hex')}`
const CANARIES = {
  token: canary('token'),
  redis: canary('redis'),
  wrongRedis: canary('wrong-redis'),
  s3Key: canary('s3-key'),
  s3Session: canary('s3-session'),
  endpoint: canary('endpoint'),
  file: canary('file'),
  flag: canary('flag'),
} as const

/** How a secret may look where it leaks. */
const shapesOf = (secret: string): readonly string[] => [
  secret,
  Buffer.from(secret).toString('base64').replace(/=+$/, ''),
  Buffer.from(secret).toString('hex'),
]

/** Everything that came out, and where. */
class Outputs {
  readonly #seen: { readonly where: string; readonly text: string }[] = []

  add(where: string, text: string): string {
    this.#seen.push({ where, text })
    return text
  }

  folder(root: string): void {
    for (const name of existsSync(root) ? readdirSync(root, { recursive: true, encoding: 'utf8' }) : []) {
      const path = join(root, name)
      if (statSync(path).isFile()) this.add(name, `${name}\n${readFileSync(path, 'latin1')}`)
    }
  }

  /** Places that show a secret. */
  leaks(): readonly string[] {
    return this.#seen.flatMap(({ where, text }) =>
      Object.entries(CANARIES)
        .filter(([, secret]) => shapesOf(secret).some(shape => text.includes(shape)))
        .map(([name]) => `${where} shows ${name}`),
    )
  }

  get places(): number {
    return this.#seen.length
  }
}

const PIPELINE = `
import { count, datagen, json, pipeline, redisView, schema } from 'millrace'
export default pipeline('guarded')
  .from(datagen({ rowsPerSecond: 500 }), json(schema({ country: 'string' })))
  .groupBy('country')
  .aggregate({ plays: count() })
  .to(redisView('guarded', { format: 'json' }))
`
const PATHS = ['/', '/live', '/metrics', '/api/status', '/healthz', '/readyz', '/views', '/views/guarded', '/nothing']

const begun = (root: string): string => {
  const file = join(root, 'guarded.ts')
  writeFileSync(file, PIPELINE)
  return file
}

/** Asks for every resource, with the token, without it and with a wrong one. */
const askAll = async (outputs: Outputs, url: string): Promise<void> => {
  for (const authorization of [
    `Bearer ${CANARIES.token}`,
    `Basic ${btoa(`me:${CANARIES.token}`)}`,
    'Bearer wrong',
    '',
  ]) {
    for (const path of PATHS) {
      const answer = await fetch(url + path, { headers: authorization === '' ? {} : { authorization } })
      const headers = [...answer.headers].map(pair => pair.join(': ')).join('\n')
      outputs.add(`GET ${path}`, `${headers}\n${await answer.text()}`)
    }
  }
}

it('a running pipeline, its service, its files and what it leaves in Redis show none', async () => {
  const outputs = new Outputs()
  const server = await ownRedis(['--requirepass', CANARIES.redis])
  const url = server.url.replace('//', `//default:${CANARIES.redis}@`)
  const folder = temporaryFolder()
  const root = `s3://millrace/${uniqueName('guarded')}`
  const env = { ...s3Environment(), MILLRACE_REDIS_URL: url, MILLRACE_SERVICE_TOKEN: CANARIES.token }
  const flags = [begun(folder), '--root', root]
  const running = startCli(['run', ...flags, '--json', '--listen', '127.0.0.1:0'], env)
  onTestFinished(() => void running.process.kill('SIGKILL'))
  let address = ''
  running.process.stdout?.on('data', (text: string) => (address ||= /"url":"([^"]+)"/.exec(text)?.[1] ?? ''))
  await running.printed(/"batchId":3/)
  // the secrets are in use: with them one is let in, without them not
  const asked = await fetch(`${address}/metrics`, { headers: { authorization: `Bearer ${CANARIES.token}` } })
  expect([asked.status, (await fetch(`${address}/metrics`)).status]).toEqual([200, 401])
  await askAll(outputs, address)
  for (const more of [[], ['--json']]) {
    const { stdout, stderr } = await runCli(['status', ...flags, ...more], env)
    outputs.add('status', stdout + stderr)
  }
  await server.stop()
  await running.printed(/REDIS_UNAVAILABLE|LEASE_NOT_KEPT|OFFSETS_NOT_COPIED/)
  await askAll(outputs, address)
  running.process.kill('SIGTERM')
  const { stdout, stderr, code } = await running.ended
  outputs.add('run', stdout + stderr)
  expect(code).toBe(0)
  const client = plainS3Client()
  const keys = await listKeys(client, root.replace('s3://millrace/', ''))
  expect(keys.length).toBeGreaterThan(3)
  await download(client, keys, join(folder, 'bucket'))
  outputs.folder(join(folder, 'bucket'))
  expect(outputs.leaks()).toEqual([])
  expect(outputs.places).toBeGreaterThan(4 * 2 * PATHS.length)
})

it('what Redis is left with shows none', async () => {
  const outputs = new Outputs()
  const server = await ownRedis(['--requirepass', CANARIES.redis])
  const url = server.url.replace('//', `//default:${CANARIES.redis}@`)
  const root = temporaryFolder()
  const env = { MILLRACE_REDIS_URL: url }
  const { code, stdout, stderr } = await runCli(['run', begun(root), '--root', root, '--batches', '3'], env)
  expect(code).toBe(0)
  outputs.add('run', stdout + stderr)
  outputs.folder(root)
  const redis = await connectRedis(url)
  const keys = (await redis.call('KEYS', '*')) as readonly string[]
  expect(keys.length).toBeGreaterThan(2)
  for (const key of keys) outputs.add(key, JSON.stringify([key, await redis.call('DUMP', key)]))
  expect(outputs.leaks()).toEqual([])
})

it('refusals and failures show none, wherever the secret was written', async () => {
  const outputs = new Outputs()
  const root = temporaryFolder()
  const pipeline = begun(root)
  const settings = join(root, 'settings.json')
  const broken = join(root, 'broken.json')
  writeFileSync(settings, JSON.stringify({ redis: { url: `redis://:${CANARIES.file}@127.0.0.1:1` } }))
  writeFileSync(broken, `{"redis": {"url": "redis://:${CANARIES.file}@127.0.0.1:1"}, ${CANARIES.file}}`)
  const wrongRedis = inject('redisUrl').replace('//', `//default:${CANARIES.wrongRedis}@`)
  const credentials = { AWS_SECRET_ACCESS_KEY: CANARIES.s3Key, AWS_SESSION_TOKEN: CANARIES.s3Session }
  const run = ['run', pipeline, '--root', root, '--batches', '1']
  const set = (value: string): readonly string[] => [...run, '--set', value]
  const attempts: readonly (readonly [args: readonly string[], env?: Readonly<Record<string, string>>])[] = [
    [['config', '--config', settings]],
    [[...run, '--config', settings]],
    [[...run, '--config', broken]],
    [run, { MILLRACE_REDIS_URL: wrongRedis }],
    [run, { MILLRACE_REDIS_URL: `http://:${CANARIES.redis}@127.0.0.1:1` }],
    [run, { MILLRACE_REDIS_URI: `redis://:${CANARIES.redis}@127.0.0.1:1` }],
    [set(`service.token=${CANARIES.token} with a space`)],
    [set(`service.tokn=${CANARIES.token}`)],
    [set(`=${CANARIES.flag}`)],
    [[...run, '--set', CANARIES.flag]],
    [set(`s3.endpoint=http://key:${CANARIES.endpoint}@127.0.0.1:1`)],
    [set(`stores.other.endpoint=http://key:${CANARIES.endpoint}@127.0.0.1:1`)],
    [set(`kafka.requestTimeout=https://key:${CANARIES.endpoint}@host/`)],
    [['run', pipeline, '--batches', '1', '--root', `s3://key:${CANARIES.endpoint}@millrace/x`], s3Environment()],
    [['run', pipeline, '--batches', '1', '--root', 's3://millrace/x'], { ...s3Environment(), ...credentials }],
    [['status', pipeline, '--root', 's3://millrace/x'], { ...s3Environment(), ...credentials }],
  ]
  const calls = attempts.flatMap(([args, env]) =>
    [args, [...args.filter(each => each !== '--json'), '--json']].map(each => [each, env] as const),
  )
  await mapBounded(calls, 4, async ([args, env]) => {
    const { stdout, stderr } = await runCli(args, env ?? {})
    expect(stdout + stderr).not.toBe('')
    outputs.add(`millrace ${args[0]} … ${args.at(-1)}`, stdout + stderr)
  })
  expect(outputs.leaks().map(leak => leak.replaceAll(/canary-[a-z-]+-[0-9a-f]+/g, '…'))).toEqual([])
})
