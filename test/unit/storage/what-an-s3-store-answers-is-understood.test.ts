import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Clock } from '../../../src/base/clock.ts'
import { seededRandom } from '../../../src/base/random.ts'
import { durationMs, epochMs } from '../../../src/base/units.ts'
import { incompleteUploadDays } from '../../../src/storage/s3/bucket-lifecycle.ts'
import { openS3ObjectStore, type S3StoreOptions } from '../../../src/storage/s3/s3-object-store.ts'

interface Answer {
  readonly status: number
  readonly body?: string
  readonly headers?: Readonly<Record<string, string>>
}

const EMPTY_LIST: Answer = {
  status: 200,
  body: '<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>',
}
const errorOf = (status: number, code: string, more = '', headers = {}): Answer => ({
  status,
  body: `<?xml version="1.0"?><Error><Code>${code}</Code><Message>told by the store</Message>${more}</Error>`,
  headers,
})

/** An endpoint that answers as a test says; what it was asked is kept. */
const asked: string[] = []
let answer: (request: IncomingMessage) => Answer = () => EMPTY_LIST
const server = createServer((request: IncomingMessage, response: ServerResponse) => {
  asked.push(`${request.method} ${request.url}`)
  request.resume().on('end', () => {
    const { status, body = '', headers = {} } = answer(request)
    response.writeHead(status, { 'content-type': 'application/xml', ...headers }).end(body)
  })
})

/** Time that passes only where it is waited for. */
const waits: number[] = []
const clock: Clock = {
  nowMs: () => epochMs(0),
  monotonicMs: () => durationMs(waits.reduce((sum, wait) => sum + wait, 0)),
  sleep: async wait => void waits.push(wait),
}

const options = (changes: Partial<S3StoreOptions> = {}): S3StoreOptions => ({
  bucket: 'plays',
  prefix: 'prod',
  endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
  region: 'eu-west-1',
  forcePathStyle: true,
  profile: null,
  requestTimeoutMs: 5000,
  maxAttempts: 6,
  retryTimeoutMs: 60_000,
  maxSockets: 4,
  clock,
  random: seededRandom(3),
  ...changes,
})

const SECRET = 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY'

beforeEach(async () => {
  asked.length = 0
  waits.length = 0
  answer = () => EMPTY_LIST
  process.env['AWS_ACCESS_KEY_ID'] = 'AKIAIOSFODNN7EXAMPLE'
  process.env['AWS_SECRET_ACCESS_KEY'] = SECRET
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
})
afterEach(async () => {
  await new Promise(resolve => {
    server.close(resolve)
    server.closeAllConnections()
  })
})

const refusal = async (given: Answer, changes: Partial<S3StoreOptions> = {}) => {
  answer = () => given
  return openS3ObjectStore(options(changes)).catch((error: unknown) => error)
}

describe('what the user must set right', () => {
  it.each([
    ['NoSuchBucket', errorOf(404, 'NoSuchBucket'), /no bucket/, /Create the bucket/],
    ['AccessDenied', errorOf(403, 'AccessDenied'), /denies access/, /s3:PutObject/],
    ['InvalidAccessKeyId', errorOf(403, 'InvalidAccessKeyId'), /credentials/, /AWS_ACCESS_KEY_ID/],
    ['SignatureDoesNotMatch', errorOf(403, 'SignatureDoesNotMatch'), /credentials/, /AWS_SECRET_ACCESS_KEY/],
    ['ExpiredToken', errorOf(400, 'ExpiredToken'), /credentials/, /AWS_SESSION_TOKEN/],
    [
      'PermanentRedirect',
      errorOf(301, 'PermanentRedirect', '', { 'x-amz-bucket-region': 'us-west-2' }),
      /another region/,
      /s3\.region=us-west-2/,
    ],
    [
      'AuthorizationHeaderMalformed',
      errorOf(400, 'AuthorizationHeaderMalformed', '<Region>us-west-2</Region>'),
      /another region/,
      /s3\.region=us-west-2/,
    ],
    ['NotImplemented', errorOf(501, 'NotImplemented'), /can't do/, /s3\.endpoint/],
  ])('%s is told at once, with a remedy', async (_, given, message, remedy) => {
    expect(await refusal(given)).toMatchObject({
      code: 'STORE_MISCONFIGURED',
      exitCode: 2,
      message: expect.stringMatching(message),
      remedy: expect.stringMatching(remedy),
    })
    expect(asked).toHaveLength(1)
  })

  it('a clock that is wrong is borne as far as the SDK can, and told where it can not', async () => {
    const ahead = new Date(Date.now() + 5 * 3_600_000).toUTCString()
    const skewed = errorOf(403, 'RequestTimeTooSkewed', '', { date: ahead })
    answer = () => (asked.length === 1 ? skewed : EMPTY_LIST)
    await openS3ObjectStore(options())
    expect(asked).toHaveLength(2)
    asked.length = 0
    expect(await refusal(skewed)).toMatchObject({
      code: 'STORE_MISCONFIGURED',
      message: expect.stringMatching(/clock/),
    })
    expect(asked.length).toBeLessThanOrEqual(6)
  })

  it('no error repeats a secret, whatever the store repeats', async () => {
    const told =
      '<AWSAccessKeyId>AKIAIOSFODNN7EXAMPLE</AWSAccessKeyId><StringToSign>AWS4-HMAC-SHA256</StringToSign>' +
      `<SignatureProvided>deadbeef</SignatureProvided><Secret>${SECRET}</Secret>`
    const body = `<Error><Code>SignatureDoesNotMatch</Code><Message>key AKIAIOSFODNN7EXAMPLE, Signature=deadbeef</Message>${told}</Error>`
    const error = (await refusal({ status: 403, body })) as Error
    const all = JSON.stringify([error, error.cause], (_, value: unknown) =>
      value instanceof Error
        ? Object.fromEntries(Object.getOwnPropertyNames(value).map(name => [name, Reflect.get(value, name)]))
        : value,
    )
    expect(all).toContain('SignatureDoesNotMatch')
    for (const secret of ['AKIAIOSFODNN7EXAMPLE', 'deadbeef', SECRET, 'StringToSign']) expect(all).not.toContain(secret)
  })
})

describe('what may pass', () => {
  it.each([
    ['SlowDown', errorOf(503, 'SlowDown')],
    ['InternalError', errorOf(500, 'InternalError')],
    ['a conflict of conditional writes', errorOf(409, 'ConditionalRequestConflict')],
    ['damage on the way', errorOf(400, 'BadDigest')],
    ['too many requests', { status: 429 }],
    ['a full disk', errorOf(507, 'XMinioStorageFull')],
    ['a full store behind a proxy', { status: 507 }],
    ['a quota that is used up, told as a denial', errorOf(403, 'QuotaExceeded')],
    ['an answer of a proxy', { status: 502, body: '<html>Bad Gateway</html>' }],
  ])('is tried again: %s', async (_, given) => {
    const store = await openS3ObjectStore(options())
    asked.length = 0
    answer = () => (asked.length < 3 ? given : { status: 200, headers: { etag: '"1"' } })
    expect(await store.createOnly('entry', new Uint8Array(3))).toBe('created')
    expect(asked).toHaveLength(3)
  })

  it('an error that comes with status 200 counts as one: a completed upload is asked for again', async () => {
    const store = await openS3ObjectStore(options())
    asked.length = 0
    const done = `<CompleteMultipartUploadResult><ETag>"1-1"</ETag><ChecksumCRC32C>r5sJTQ==</ChecksumCRC32C></CompleteMultipartUploadResult>`
    answer = () =>
      asked.length === 1 ? { ...errorOf(200, 'InternalError'), status: 200 } : { status: 200, body: done }
    const parts = [{ etag: '"1"', checksum: 'r5sJTQ==' }]
    await store.publish({ key: 'part', upload: 'u', size: 4, crc32c: 'af9b094d', parts })
    expect(asked).toEqual(Array.from({ length: 2 }, () => 'POST /plays/prod/part?uploadId=u'))
  })

  it('waits longer and longer, a random part of it, and gives up after so many attempts', async () => {
    const store = await openS3ObjectStore(options({ maxAttempts: 10, random: { next: () => 1, nonce: () => 'n' } }))
    asked.length = 0
    answer = () => errorOf(503, 'SlowDown')
    await expect(store.get('entry')).rejects.toMatchObject({ code: 'STORE_FAILED', details: { code: 'SlowDown' } })
    expect(waits).toEqual([50, 100, 200, 400, 800, 1600, 3200, 5000, 5000])
    expect(asked).toHaveLength(10)
  })

  it.each([507, 403])('a store that stays full is named with what to do (%s)', async status => {
    const store = await openS3ObjectStore(options({ maxAttempts: 2 }))
    answer = () => errorOf(status, 'QuotaExceeded')
    await expect(store.createOnly('entry', new Uint8Array(3))).rejects.toMatchObject({
      code: 'STORE_FAILED',
      exitCode: 1,
      remedy: expect.stringContaining('Make room'),
    })
  })

  it('gives up before that where the time for all attempts is over', async () => {
    const store = await openS3ObjectStore(options({ maxAttempts: 100, retryTimeoutMs: 1000 }))
    answer = () => errorOf(500, 'InternalError')
    await expect(store.get('entry')).rejects.toMatchObject({ code: 'STORE_FAILED', retriable: true })
    expect(waits.reduce((sum, wait) => sum + wait, 0)).toBeLessThanOrEqual(1000)
  })
})

describe('rules that abort incomplete uploads', () => {
  const rule = (days: number, prefix: string, status = 'Enabled'): string =>
    `<Rule><ID>${prefix}${days}</ID><Status>${status}</Status><Filter><Prefix>${prefix}</Prefix></Filter>` +
    `<AbortIncompleteMultipartUpload><DaysAfterInitiation>${days}</DaysAfterInitiation></AbortIncompleteMultipartUpload></Rule>`
  const rules = (...all: readonly string[]): Answer => ({
    status: 200,
    body: `<LifecycleConfiguration>${all.join('')}</LifecycleConfiguration>`,
  })

  it.each([
    [rules(rule(3, '')), 3],
    [rules(rule(30, ''), rule(2, 'prod/raw')), 2],
    [rules(rule(3, 'test')), null],
    [rules(rule(3, '', 'Disabled')), null],
    [
      rules('<Rule><ID>x</ID><Status>Enabled</Status><Prefix></Prefix><Expiration><Days>3</Days></Expiration></Rule>'),
      null,
    ],
    [errorOf(404, 'NoSuchLifecycleConfiguration'), null],
    [errorOf(501, 'NotImplemented'), null],
    [errorOf(403, 'AccessDenied'), null],
  ])('are found where they concern the prefix (case %#)', async (given, days) => {
    answer = () => given
    expect(await incompleteUploadDays(options())).toBe(days)
  })
})
