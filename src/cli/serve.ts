import { asMillraceError } from '../base/errors.ts'
import { escapeControls } from '../base/text-table.ts'
import type { PipelinePlan } from '../pipeline/plan.ts'
import type { Config } from '../wiring/config/config.ts'
import { type StartOptions, startWith } from '../wiring/start.ts'
import { systemClock } from '../wiring/system.ts'
import { type FollowOptions, follow } from './follow.ts'
import { version } from './version.ts'

/** A pipeline that is ready to run, and how it is run and shown. */
export interface Served {
  readonly plan: PipelinePlan
  readonly artifact: URL
  readonly config: Config
  readonly options: StartOptions
  readonly shown: Pick<FollowOptions, 'json' | 'explain' | 'signals'>
}

/**
 * Runs a pipeline to its end and shows it, with the HTTP service where one is configured. The service is there before the
 * driver and stays until all is closed.
 * @throws what starting throws, LISTEN_FAILED, and what stopped the query
 */
export const runServed = async ({ plan, artifact, config, options, shown }: Served): Promise<void> => {
  const service = await openConfigured(plan, config)
  try {
    if (service !== null) tellUrl(service.url, shown.json)
    const query = await startWith(plan, artifact, config, options)
    service?.follow(query)
    await follow(query, { ...shown, onStop: () => service?.stopping() })
  } finally {
    await service?.close()
  }
}

const openConfigured = async (plan: PipelinePlan, { service }: Config) => {
  if (service.listen === null) return null
  // a run without a service does not wait for its code
  const [{ openService }, { makeMetrics }] = await Promise.all([
    import('../service/service.ts'),
    import('../wiring/metrics.ts'),
  ])
  return openService({
    pipeline: plan.name,
    version: version(),
    address: service.listen,
    token: service.token,
    lagBounds: { rows: service.maxLagRows, ageMs: service.maxLagAge },
    probeIntervalMs: service.probeInterval,
    probeTimeoutMs: service.probeTimeout,
    metrics: makeMetrics(plan.name, version()),
    clock: systemClock,
    onError: error => {
      const { code, message } = asMillraceError(error)
      process.stderr.write(`warning: SERVICE: ${code}: ${escapeControls(message)}\n`)
    },
  })
}

const tellUrl = (url: string, json: boolean): void => {
  process.stdout.write(json ? `${JSON.stringify({ kind: 'listening', url })}\n` : `watch it at ${url}\n`)
}
