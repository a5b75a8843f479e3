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
  const { service, close } = await openConfigured(plan, config)
  try {
    if (service !== null) tellUrl(service.url, shown.json)
    const query = await startWith(plan, artifact, config, options)
    service?.follow(query)
    await follow(query, { ...shown, onStop: () => service?.stopping() })
  } finally {
    await close()
  }
}

const openConfigured = async (plan: PipelinePlan, config: Config) => {
  const { service } = config
  if (service.listen === null) return { service: null, close: async () => undefined }
  // a run without a service does not wait for its code
  const [{ openService }, { viewRoutes }, { makeMetrics }, { openViewLayers }] = await Promise.all([
    import('../service/service.ts'),
    import('../service/view-routes.ts'),
    import('../wiring/metrics.ts'),
    import('../wiring/merged-views.ts'),
  ])
  const views = await openViewLayers(plan, config)
  const opened = await openService({
    pipeline: plan.name,
    version: version(),
    address: service.listen,
    token: service.token,
    lagBounds: { rows: service.maxLagRows, ageMs: service.maxLagAge },
    probeIntervalMs: service.probeInterval,
    probeTimeoutMs: service.probeTimeout,
    metrics: makeMetrics(plan.name, version()),
    clock: systemClock,
    routes: views === null ? [] : viewRoutes(plan, views.layers, systemClock),
    onError: error => {
      const { code, message } = asMillraceError(error)
      process.stderr.write(`warning: SERVICE: ${code}: ${escapeControls(message)}\n`)
    },
  }).catch(async (error: unknown) => {
    await views?.close()
    throw error
  })
  const close = async (): Promise<void> => {
    await opened.close()
    await views?.close()
  }
  return { service: opened, close }
}

const tellUrl = (url: string, json: boolean): void => {
  process.stdout.write(json ? `${JSON.stringify({ kind: 'listening', url })}\n` : `watch it at ${url}\n`)
}
