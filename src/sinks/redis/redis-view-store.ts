import { MillraceError } from '../../base/errors.ts'
import { batchId } from '../../base/units.ts'
import type { RedisConnection } from '../../storage/redis-connection.ts'
import { viewRowReader } from '../view/view-rows.ts'
import type { ViewAnswer, ViewIdentity, ViewStep, ViewStore } from '../view/view-store.ts'
import { viewKeys } from './view-keys.ts'
import { VIEW_SCRIPT } from './view-script.ts'

/** Views in Redis, one script call per step. `prefix` begins every key. */
export const redisViewStore = (redis: RedisConnection, prefix: string): ViewStore => ({
  location: redis.location,
  apply: async (view, step) => {
    const { keys, args } = scriptCall(prefix, view, step)
    return readAnswer(await redis.evaluate(VIEW_SCRIPT, keys, args))
  },
})

const scriptCall = (prefix: string, view: ViewIdentity, step: ViewStep) => {
  const names = viewKeys(prefix, view.name)
  const keys = [names.meta, names.index, names.top, names.expiry, names.stale]
  const args: (string | number)[] = [
    step.phase,
    step.kind,
    step.overruled === null ? '' : String(step.overruled),
    view.owner,
    view.pipeline,
    step.epoch,
    step.log,
    step.batch,
    step.after ?? '',
    step.token,
    step.at,
    step.now,
    isoTime(step.committedAt),
    isoTime(step.now),
    step.watermark === null ? '' : isoTime(step.watermark),
    view.format,
    view.top,
    view.key.join(','),
  ]
  if (step.rows.length > 0) {
    const rowAt = viewRowReader(step.rows)
    for (let at = 0; at < step.rows.length; at += 1) {
      const { key, text, score, expiresAt } = rowAt(at)
      keys.push(names.row(key))
      args.push(key, text, score === null ? '' : scoreText(score), expiresAt ?? '')
    }
  }
  return { keys, args }
}

const isoTime = (time: number): string => new Date(time).toISOString()

const scoreText = (score: number): string => {
  if (score === Infinity) return '+inf'
  return score === -Infinity ? '-inf' : String(score)
}

const readAnswer = (answer: unknown): ViewAnswer => {
  const [kind, value = ''] = Array.isArray(answer) ? answer.map(String) : []
  switch (kind) {
    case 'applied':
    case 'already':
      return { kind }
    case 'left':
      return { kind, rows: Number(value) }
    case 'behind':
      return { kind, batch: value === '' ? null : batchId(Number(value)) }
    case 'fenced':
      return { kind, epoch: Number(value) }
    case 'foreign':
      return { kind, pipeline: value }
    default:
      throw new MillraceError('REDIS_REFUSED', 'Redis answered a script with what the script does not say', {
        remedy: 'Check that redis.url names a Redis server of 6.2 or newer.',
      })
  }
}
