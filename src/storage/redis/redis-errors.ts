import { MillraceError } from '../../base/errors.ts'

/** What Redis says it is, by the first word of its answer, and what helps. */
const REFUSALS: Readonly<Record<string, string>> = {
  READONLY: 'This is a replica: let redis.url name the primary, or wait until the failover is over.',
  OOM: 'Redis is full: raise maxmemory, delete what is not needed, or give views a ttl.',
  MISCONF: 'Redis can no longer save its data: look at its disk and its log.',
  NOAUTH: 'Give user and password in redis.url.',
  WRONGPASS: 'Correct user and password in redis.url.',
  NOPERM: 'Give the user access to the keys below redis.keyPrefix, and to scripts.',
  CROSSSLOT: 'Report it: keys of one view must share their hash tag.',
  CLUSTERDOWN: 'Wait until the cluster is whole again.',
  MOVED: 'redis.url names a node of a cluster that does not hold this key: name the node (or a proxy) that does.',
  LOADING: 'Redis is loading its data; it will answer soon.',
  MASTERDOWN: 'Wait until the primary is back, or let redis.url name it.',
}

/** An error of the client or an answer of the server as one of ours. The client's messages hold no credentials. */
export const redisError = (what: string, location: string, cause: unknown): MillraceError => {
  if (cause instanceof MillraceError) return cause
  const message = cause instanceof Error ? cause.message : String(cause)
  const details = { location }
  const word = /^(?:ERR )?(?:Error running script.*?: )?-?([A-Z]+)\b/.exec(message)?.[1] ?? ''
  if (message.includes('WRONGTYPE')) {
    return new MillraceError('REDIS_WRONG_TYPE', `could not ${what} in ${location}: ${message}`, {
      remedy: 'Delete the key of another type, or choose another redis.keyPrefix.',
      details,
    })
  }
  const refusal = REFUSALS[word]
  if (refusal !== undefined || word === 'ERR') {
    return new MillraceError('REDIS_REFUSED', `could not ${what}: ${location} answers ${message}`, {
      remedy: refusal ?? 'Look at the answer; Millrace needs Redis 6.2 or newer, with scripts.',
      details: { ...details, answer: word },
    })
  }
  return new MillraceError('REDIS_UNAVAILABLE', `could not ${what}: ${location} does not answer (${message})`, {
    remedy: 'Start Redis or correct redis.url. The stream goes on without it, and views are brought up to date later.',
    details,
  })
}
