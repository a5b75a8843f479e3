import {
  AbortMultipartUploadCommand,
  CreateBucketCommand,
  ListMultipartUploadsCommand,
  type S3Client,
} from '@aws-sdk/client-s3'
import { describe, expect, inject, it, onTestFinished } from 'vitest'
import { type Fault, startFaultProxy } from '../../scripts/services/fault-proxy.mjs'
import { openDuck } from '../support/duckdb.ts'
import { pipelineFile, runCli, temporaryFolder } from './support/cli.ts'
import { download, listKeys, plainS3Client, s3Environment } from './support/s3.ts'
import { uniqueName } from './support/topics.ts'

const client = (): S3Client => {
  const opened = plainS3Client()
  onTestFinished(() => opened.destroy())
  return opened
}

const run = (...flags: readonly string[]) => ['run', pipelineFile('archived'), ...flags]

describe('a table in a store by name', () => {
  it('lies there, and the checkpoint at the root', async () => {
    const s3 = client()
    const [prefix, archive] = [uniqueName('root'), uniqueName('archive')]
    await s3.send(new CreateBucketCommand({ Bucket: archive }))
    const flags = ['--root', `s3://millrace/${prefix}`, '--set', `stores.archive.root=s3://${archive}/deep`]
    const { code, stderr } = await runCli(run(...flags, '--batches', '3'), s3Environment())
    expect(stderr).toBe('')
    expect(code).toBe(0)
    const atRoot = await listKeys(s3, `${prefix}/`)
    expect(atRoot.filter(key => !key.startsWith(`${prefix}/_checkpoints/archived/`))).toEqual([])
    const files = await download(s3, await listKeys(s3, 'deep/raw/', archive), temporaryFolder(), archive)
    const duck = await openDuck()
    onTestFinished(() => duck.close())
    const list = files.map(file => `'${file}'`).join(', ')
    const [landed] = await duck.query(
      `SELECT count(*) AS rows, count(DISTINCT (partition, "offset")) AS distinct_rows FROM read_parquet([${list}])`,
    )
    const status = await runCli(['status', pipelineFile('archived'), ...flags, '--json'], s3Environment())
    const told = JSON.parse(status.stdout) as { readonly rowsRead: number; readonly warnings: readonly string[] }
    expect(told.rowsRead).toBeGreaterThan(0)
    expect(landed).toEqual({ rows: BigInt(told.rowsRead), distinct_rows: BigInt(told.rowsRead) })
    expect(told.warnings).toEqual([])
  })

  it('that the configuration does not name is refused before anything runs', async () => {
    const { code, stderr } = await runCli(run('--root', temporaryFolder(), '--batches', '1'))
    expect(code).toBe(2)
    expect(stderr).toContain('Set stores.archive.root')
  })
})

describe('a committed upload', () => {
  it('that a rule of the bucket has aborted is told as lost, not passed over', async () => {
    const s3 = client()
    const prefix = uniqueName('lost')
    const completes = ({ method, url }: { readonly method: string; readonly url: string }): Fault =>
      method === 'POST' && url.includes('uploadId=') ? 'reset' : 'none'
    const proxy = await startFaultProxy({ target: inject('s3').endpoint, fault: completes })
    onTestFinished(() => proxy.stop())
    const root = `s3://millrace/${prefix}`
    const flags = ['--root', root, '--set', `stores.archive.root=${root}/archive`, '--set', 's3.maxAttempts=2']
    const stopped = await runCli(run(...flags, '--batches', '3'), s3Environment(proxy.endpoint))
    expect(stopped.code).toBe(1)
    expect(stopped.stderr).toContain('STORE_FAILED')
    expect((await listKeys(s3, `${prefix}/_checkpoints/`)).filter(key => key.includes('/commits/'))).toHaveLength(1)

    const { Uploads = [] } = await s3.send(new ListMultipartUploadsCommand({ Bucket: 'millrace', Prefix: prefix }))
    expect(Uploads.length).toBeGreaterThan(0)
    const [{ Key, UploadId } = {}] = Uploads
    await s3.send(new AbortMultipartUploadCommand({ Bucket: 'millrace', Key, UploadId }))
    const next = await runCli(run(...flags, '--batches', '3'), s3Environment())
    expect(next.code).toBe(1)
    expect(next.stderr).toContain(`STAGED_OBJECT_LOST: ${Key?.slice(`${prefix}/archive/`.length)}`)
  })
})
