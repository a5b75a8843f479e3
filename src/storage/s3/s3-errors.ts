import { MillraceError } from '../../base/errors.ts'

/** What is known after a request that brought no answer we can use. */
export interface Failure {
  readonly error: MillraceError
  /** Whether the same request may succeed later. */
  readonly again: boolean
  /** Whether it may have had its effect all the same. */
  readonly uncertain: boolean
}

/** The parts of the SDK's errors that are looked at. */
interface Answer {
  readonly name: string
  readonly message: string
  /** HTTP status; `null` where no answer came. */
  readonly status: number | null
  readonly region: string | null
  readonly clockCorrected: boolean
  readonly systemCode: string | null
}

/** Names of S3's errors that mean: not with these credentials. */
const CREDENTIALS = new Set([
  'InvalidAccessKeyId',
  'SignatureDoesNotMatch',
  'InvalidToken',
  'ExpiredToken',
  'TokenRefreshRequired',
  'CredentialsProviderError',
  'XAdminUserNotFound',
])
const DENIED = new Set(['AccessDenied', 'Forbidden', 'AllAccessDisabled', 'AccountProblem'])
const OTHER_REGION = new Set([
  'PermanentRedirect',
  'AuthorizationHeaderMalformed',
  'IllegalLocationConstraintException',
])
/** No room: some stores say so as a denial. It passes when there is room again, and nothing was written. */
const FULL = new Set(['InsufficientStorage', 'QuotaExceeded', 'XMinioStorageFull'])
/** Client errors that pass: damage on the way, and others at work on the same key. They had no effect. */
const PASSING = new Set([
  'BadDigest',
  'IncompleteBody',
  'RequestTimeout',
  'ConditionalRequestConflict',
  'OperationAborted',
  'TooManyRequests',
])

/** Whether the SDK threw one of these errors of S3. */
export const isAnswer = (error: unknown, ...names: readonly string[]): boolean => names.includes(answerOf(error).name)

/** Whether a condition of a write did not hold. */
export const isConditionFailed = (error: unknown): boolean => answerOf(error).status === 412

/** Sorts what a request threw: a cause that only the user can remove, one that may pass, and whether its effect is known. */
export const failureOf = (what: string, location: string, thrown: unknown): Failure => {
  if (thrown instanceof MillraceError) return { error: thrown, again: false, uncertain: false }
  const answer = answerOf(thrown)
  const full = FULL.has(answer.name) || answer.status === 507
  const refused = full ? null : refusalOf(answer, location)
  if (refused !== null) {
    const [message, remedy] = refused
    const error = new MillraceError('STORE_MISCONFIGURED', message, {
      remedy,
      cause: causeOf(answer),
      details: { location, code: answer.name },
    })
    // the SDK has set its own clock by the answer: the next attempt may be signed in time
    return { error, again: answer.clockCorrected, uncertain: false }
  }
  const { status, name, systemCode } = answer
  const again = full || status === null || status >= 500 || status === 429 || PASSING.has(name)
  const error = new MillraceError('STORE_FAILED', `could not ${what} in ${location}: ${toldBy(answer)}`, {
    remedy: full
      ? NO_ROOM
      : (REMEDIES[systemCode ?? name] ?? 'Look at the health of the store; nothing that was committed is lost.'),
    cause: causeOf(answer),
    details: { location, code: systemCode ?? name },
  })
  return { error, again, uncertain: again && !full && !PASSING.has(name) }
}

const NO_ROOM = 'Make room in the store or raise its quota; the pipeline then goes on after its last commit.'

const REMEDIES: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'Nothing listens there: check s3.endpoint and start the store.',
  ENOTFOUND: 'That host is unknown: check s3.endpoint (and whether the store wants s3.forcePathStyle=true).',
  EAI_AGAIN: 'The name service does not answer: check the network and s3.endpoint.',
  SlowDown: 'The store asks for fewer requests: raise the trigger interval, or spread tables over prefixes.',
  NoSuchUpload: 'Look at the bucket for a lifecycle rule that aborts incomplete uploads early.',
}

/** What is wrong and what to do, where waiting does not help. */
const refusalOf = (answer: Answer, location: string): readonly [string, string] | null => {
  const { name, status, region, message } = answer
  const said = `(${toldBy(answer)})`
  if (name === 'NoSuchBucket') {
    return [`there is no bucket for ${location} ${said}`, 'Create the bucket, or correct root and s3.endpoint.']
  }
  if (OTHER_REGION.has(name) || status === 301) {
    return [
      `${location} is in another region ${said}`,
      region === null ? 'Set s3.region to the region of the bucket.' : `Set s3.region=${region}.`,
    ]
  }
  if (CREDENTIALS.has(name)) {
    return [
      `the credentials for ${location} are not accepted or missing ${said}`,
      'Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (AWS_SESSION_TOKEN), or s3.profile, or give the machine a role.',
    ]
  }
  if (name === 'RequestTimeTooSkewed') {
    return [`the clock of this machine differs too much from that of ${location} ${said}`, 'Set the clock (NTP).']
  }
  if (DENIED.has(name) || status === 403) {
    return [
      `${location} denies access ${said}`,
      'Allow s3:ListBucket and s3:ListBucketMultipartUploads on the bucket, and s3:GetObject, s3:PutObject, ' +
        's3:DeleteObject, s3:AbortMultipartUpload on its objects.',
    ]
  }
  if (message === 'Region is missing') return [`no region is known for ${location}`, 'Set s3.region or AWS_REGION.']
  if (name === 'InvalidBucketName') return [`${location} names no bucket ${said}`, 'Write root as s3://bucket/prefix.']
  if (status === 501 || status === 405) {
    return [`the endpoint of ${location} can't do what Millrace needs ${said}`, 'Check that s3.endpoint is an S3 API.']
  }
  return null
}

const toldBy = ({ name, message, status, systemCode }: Answer): string => {
  const words = [systemCode ?? name, ...(status === null ? [] : [String(status)])].join(' ')
  return message === '' || message === 'UnknownError' ? words : `${words}: ${redacted(message)}`
}

/** Answers of some stores repeat what was signed with; nothing of that goes into an error. */
const redacted = (message: string): string =>
  message
    .replaceAll(/\b(?:AKIA|ASIA)[A-Z0-9]{12,}\b/g, '<access key>')
    .replaceAll(/((?:signature|credential|token)["']?\s*[=:]\s*)[^\s,&"']+/gi, '$1<secret>')
    .slice(0, 300)

/** The SDK's errors carry the request with its signature: only their words are kept. */
const causeOf = (answer: Answer): Error => {
  const cause = new Error(redacted(answer.message))
  cause.name = answer.name
  return cause
}

const text = (value: unknown): string | null => (typeof value === 'string' && value !== '' ? value : null)

const answerOf = (thrown: unknown): Answer => {
  const fields = (typeof thrown === 'object' && thrown !== null ? thrown : {}) as Readonly<Record<string, unknown>>
  const metadata = (fields['$metadata'] ?? {}) as Readonly<Record<string, unknown>>
  const response = (fields['$response'] ?? {}) as { readonly headers?: Readonly<Record<string, string>> }
  const message = text(fields['message']) ?? ''
  const status = metadata['httpStatusCode']
  return {
    name: text(fields['name']) ?? 'Error',
    message,
    status: typeof status === 'number' ? status : null,
    region:
      text(response.headers?.['x-amz-bucket-region']) ??
      text(fields['Region']) ??
      /expecting ['"]([a-z0-9-]+)['"]/.exec(message)?.[1] ??
      null,
    clockCorrected: metadata['clockSkewCorrected'] === true,
    systemCode: status === undefined ? text(fields['code']) : null,
  }
}
