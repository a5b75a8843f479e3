import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { loadConfig } from '../../../src/wiring/config/load-config.ts'
import { storeLocation, storeWarnings } from '../../../src/wiring/stores.ts'

const located = async (set: readonly string[], name: string | null = null, env = {}) =>
  storeLocation((await loadConfig({ env, set })).config, name)

describe('the store at root', () => {
  it('is a folder, or a bucket with a prefix', async () => {
    expect(await located(['root=./data'])).toEqual({ kind: 'local', root: './data', durability: 'process' })
    expect(await located(['root=s3://plays'])).toMatchObject({ kind: 's3', bucket: 'plays', prefix: '' })
    expect(await located(['root=s3://plays/prod/eu/'])).toMatchObject({ bucket: 'plays', prefix: 'prod/eu' })
  })

  it('has the bucket in the path where there is an endpoint, unless told otherwise', async () => {
    const endpoint = 's3.endpoint=https://s3.example.com'
    expect(await located(['root=s3://plays'])).toMatchObject({ endpoint: null, forcePathStyle: false })
    expect(await located(['root=s3://plays', endpoint])).toMatchObject({ forcePathStyle: true })
    expect(await located(['root=s3://plays', endpoint, 's3.forcePathStyle=false'])).toMatchObject({
      forcePathStyle: false,
    })
  })

  it.each(['s3://', 's3://UPPER', 's3://plays/../x', 's3://plays//x', 'gs://plays', `s3://plays/${'x'.repeat(121)}`])(
    'is not %s',
    async root => {
      await expect(located([`root=${root}`])).rejects.toMatchObject({ code: 'INVALID_CONFIG' })
    },
  )

  it('is never reached with a password in its address, and none is shown', async () => {
    const refusal = await located(['s3.endpoint=https://me:secret@s3.example.com']).catch((error: unknown) => error)
    expect(refusal).toMatchObject({ code: 'INVALID_CONFIG' })
    expect(String(refusal)).not.toContain('secret')
  })
})

describe('a named store', () => {
  const archive = ['root=s3://plays', 's3.region=eu-west-1', 'stores.archive.root=s3://old-plays/x']

  it('is as the first in what it does not say itself', async () => {
    expect(await located(archive, 'archive')).toMatchObject({
      bucket: 'old-plays',
      prefix: 'x',
      region: 'eu-west-1',
      endpoint: null,
    })
    const own = [...archive, 'stores.archive.endpoint=http://127.0.0.1:9000', 'stores.archive.profile=old']
    expect(await located(own, 'archive')).toMatchObject({
      endpoint: 'http://127.0.0.1:9000',
      forcePathStyle: true,
      profile: 'old',
    })
    expect(await located(own)).toMatchObject({ bucket: 'plays', endpoint: null, profile: null })
  })

  it('may be named by the environment', async () => {
    const env = { MILLRACE_STORES_COLD_STORE_ROOT: './cold', MILLRACE_STORES_COLD_STORE_FORCE_PATH_STYLE: 'true' }
    expect(await located([], 'cold-store', env)).toMatchObject({ kind: 'local', root: './cold' })
  })

  it('that is unknown is refused with those that are known', async () => {
    await expect(located(archive, 'archiv')).rejects.toMatchObject({
      code: 'INVALID_CONFIG',
      remedy: 'Set stores.archiv.root, or use one of: archive.',
    })
    await expect(located(['stores.archive.rot=x'])).rejects.toMatchObject({ code: 'INVALID_CONFIG' })
    await expect(located(['stores.Archive.root=x'])).rejects.toMatchObject({ code: 'INVALID_CONFIG' })
    await expect(located(['stores.archive.region=x'], 'archive')).rejects.toMatchObject({
      message: 'the store archive has no root',
    })
  })
})

describe('a bucket that aborts incomplete uploads', () => {
  it.each([
    [3, 1],
    [7, 0],
  ])('after %i days brings %i warnings', async (days, warnings) => {
    const rules =
      '<LifecycleConfiguration><Rule><Status>Enabled</Status><Filter><Prefix></Prefix></Filter>' +
      `<AbortIncompleteMultipartUpload><DaysAfterInitiation>${days}</DaysAfterInitiation></AbortIncompleteMultipartUpload>` +
      '</Rule></LifecycleConfiguration>'
    const server = createServer((_, response) => response.writeHead(200).end(rules))
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
    onTestFinished(() => void server.close())
    vi.stubEnv('AWS_ACCESS_KEY_ID', 'key')
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'secret')
    onTestFinished(() => void vi.unstubAllEnvs())
    const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    const set = ['root=s3://plays/prod', 's3.region=eu-west-1', `s3.endpoint=${endpoint}`, 'stores.local.root=./data']
    const told = await storeWarnings((await loadConfig({ env: {}, set })).config, ['local'])
    expect(told).toHaveLength(warnings)
    expect(told.join()).toMatch(warnings === 0 ? /^$/ : /plays aborts incomplete uploads after 3 days/)
  })
})
