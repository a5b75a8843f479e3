import { objectStorePromises } from 'millrace/testing'
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { type Fault, startFaultProxy } from '../../scripts/services/fault-proxy.mjs'
import { seededRandom } from '../../src/base/random.ts'
import type { ObjectStore } from '../../src/storage/object-store.ts'
import { requireAtomicWrites } from '../../src/storage/require-atomic-writes.ts'
import { openS3ObjectStore } from '../../src/storage/s3/s3-object-store.ts'
import { systemRandom } from '../../src/wiring/system.ts'
import { openS3, s3Settings, useS3Credentials } from './support/s3.ts'

beforeAll(useS3Credentials)

const promises = objectStorePromises(
  async () => {
    const settings = s3Settings()
    const reopen = () => openS3ObjectStore(settings)
    return { store: await reopen(), reopen, close: async () => undefined }
  },
  { publishingReplaces: true },
)
for (const { name, run } of promises) it(name, run)

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text)

/** A store behind a proxy that lets a test say what becomes of each call. */
const throughProxy = async (
  fault: (call: { readonly method: string; readonly url: string }) => Fault,
  changes = {},
): Promise<ObjectStore> => {
  const direct = s3Settings()
  const proxy = await startFaultProxy({ target: direct.endpoint ?? '', fault })
  onTestFinished(() => proxy.stop())
  return openS3ObjectStore({ ...direct, endpoint: proxy.endpoint, ...changes })
}

/** The first call that fits meets the fault, all others pass. */
const once = (fault: Fault, fits: (call: { readonly method: string; readonly url: string }) => boolean) => {
  let met = false
  return (call: { readonly method: string; readonly url: string }): Fault => {
    if (met || !fits(call)) return 'none'
    met = true
    return fault
  }
}

const put = ({ method }: { readonly method: string }): boolean => method === 'PUT'

describe('a call whose answer is lost', () => {
  it.each(['lost', 'reset', 'slowDown'] as const)('creates once and knows its own object: %s', async fault => {
    const store = await throughProxy(once(fault, put))
    expect(await store.createOnly('entry', bytesOf('mine'))).toBe('created')
    expect(await store.createOnly('entry', bytesOf('mine'))).toBe('exists')
  })

  it('does not take for its own what another created meanwhile, even with the same bytes', async () => {
    const settings = s3Settings()
    const direct = await openS3ObjectStore(settings)
    const steps: Promise<unknown>[] = []
    const proxy = await startFaultProxy({
      target: settings.endpoint ?? '',
      fault: once('reset', call => {
        if (!put(call)) return false
        steps.push(direct.createOnly('entry', bytesOf('same')))
        return true
      }),
    })
    onTestFinished(() => proxy.stop())
    const store = await openS3ObjectStore({ ...settings, endpoint: proxy.endpoint })
    const outcome = await store.createOnly('entry', bytesOf('same'))
    expect(new Set([outcome, ...(await Promise.all(steps))])).toEqual(new Set(['created', 'exists']))
  })

  it.each(['lost', 'reset', 'slowDown'] as const)('replaces once and knows its own object: %s', async fault => {
    let armed = false
    const store = await throughProxy(once(fault, call => armed && put(call)))
    const first = await store.replace('pointer', bytesOf('1'), null)
    armed = true
    const second = await store.replace('pointer', bytesOf('2'), first === 'conflict' ? null : first.version)
    expect(await store.getVersioned('pointer')).toEqual({ bytes: bytesOf('2'), ...(second as object) })
  })

  it.each(['lost', 'reset', 'slowDown'] as const)('publishes all the same: %s', async fault => {
    const store = await throughProxy(once(fault, ({ method, url }) => method === 'POST' && url.includes('uploadId=')))
    await store.publish(await store.stage('part', bytesOf('rows')))
    expect(await store.get('part')).toEqual(bytesOf('rows'))
  })

  it('is made again within bounds of number and time, and then said to have failed', async () => {
    const state = { down: false, calls: 0 }
    const fault = (): Fault => {
      state.calls += 1
      return state.down ? 'slowDown' : 'none'
    }
    const store = await throughProxy(fault, { maxAttempts: 4 })
    Object.assign(state, { down: true, calls: 0 })
    await expect(store.get('entry')).rejects.toMatchObject({ code: 'STORE_FAILED', retriable: true })
    expect(state.calls).toBe(4)
  })

  it('does not hang where the store falls silent', async () => {
    const state = { down: false }
    const changes = { maxAttempts: 100, requestTimeoutMs: 200, retryTimeoutMs: 1000 }
    const store = await throughProxy(() => (state.down ? 'hang' : 'none'), changes)
    state.down = true
    const startedAt = performance.now()
    await expect(store.get('entry')).rejects.toMatchObject({ code: 'STORE_FAILED' })
    expect(performance.now() - startedAt).toBeLessThan(3000)
  })
})

describe('a store where a third of the calls fails', () => {
  it('has one winner in every race, and passes for atomic', async () => {
    const random = seededRandom(7)
    const fault = (): Fault => {
      const drawn = random.next()
      return drawn < 0.15 ? 'slowDown' : drawn < 0.3 ? 'lost' : 'none'
    }
    const store = await throughProxy(fault, { maxAttempts: 20 })
    await requireAtomicWrites(store, 'probe', systemRandom)
    expect(await store.get('probe')).toBeNull()
  })
})

describe('a store that does not answer as it should', () => {
  it('is refused with a remedy: missing bucket, other region, wrong credentials, nobody there', async () => {
    const misconfigured = (message: RegExp) => ({
      code: 'STORE_MISCONFIGURED',
      message: expect.stringMatching(message),
    })
    await expect(openS3({ bucket: 'missing' })).rejects.toMatchObject(misconfigured(/there is no bucket/))
    await expect(openS3({ region: 'eu-west-1' })).rejects.toMatchObject({
      ...misconfigured(/is in another region/),
      remedy: 'Set s3.region=us-east-1.',
    })
    const nobody = openS3({ endpoint: 'http://127.0.0.1:9', maxAttempts: 2 })
    await expect(nobody).rejects.toMatchObject({ code: 'STORE_FAILED', remedy: expect.stringContaining('s3.endpoint') })
    process.env['AWS_SECRET_ACCESS_KEY'] = 'a-secret-that-is-wrong'
    onTestFinished(useS3Credentials)
    const refused = await openS3().then(
      () => null,
      (error: unknown) => error,
    )
    expect(refused).toMatchObject(misconfigured(/credentials/))
    const told = JSON.stringify(refused, Object.getOwnPropertyNames(refused)) + String((refused as Error).cause)
    expect(told).not.toContain('a-secret-that-is-wrong')
    expect(told).not.toMatch(/Signature=|StringToSign/)
  })
})
