import type { Subscription } from 'rxjs'
import type { Clock } from '../base/clock.ts'
import { asMillraceError } from '../base/errors.ts'
import { durationMs } from '../base/units.ts'
import type { Observed } from '../observe/driver-metrics.ts'
import { History } from '../observe/history.ts'
import type { PipelineMetrics } from '../observe/pipeline-metrics.ts'
import { PipelineMonitor, type Vitals } from '../observe/pipeline-monitor.ts'
import { type LagBounds, type Readiness, readinessOf } from '../observe/readiness.ts'
import type { ListenAddress } from '../wiring/config/config.ts'
import type { ProbedQuery } from '../wiring/streaming-query.ts'
import { healthRoutes } from './health.ts'
import { type HttpServer, listen } from './http-server.ts'
import { pageRoutes } from './page/page.ts'
import { keepProbing } from './probing.ts'
import type { Route } from './routes.ts'
import type { ServiceView } from './service-view.ts'
import { statusRoute } from './status.ts'

export interface ServiceOptions {
  readonly pipeline: string
  readonly version: string
  readonly address: ListenAddress
  /** Asked for by every route that is not open; `null` on loopback only. */
  readonly token: string | null
  readonly lagBounds: LagBounds
  readonly probeIntervalMs: number
  readonly probeTimeoutMs: number
  readonly metrics: PipelineMetrics
  readonly clock: Clock
  /** Told what went wrong while a request was answered. */
  readonly onError: (error: unknown) => void
  /** Further resources. */
  readonly routes?: readonly Route[]
}

/** The HTTP side of a running pipeline. It answers (not ready) before there is a driver, and until all is closed. */
export interface Service {
  readonly url: string
  /** Watches a query from now on. */
  follow(query: ProbedQuery): void
  /** A stop was asked for: not ready any more, while the batch in flight ends. */
  stopping(): void
  close(): Promise<void>
}

/** Points of the page's charts, taken every two seconds: twenty minutes. */
const HISTORY_POINTS = 600
const HISTORY_INTERVAL_MS = 2_000

/** Opens the service before the driver starts, so that a taken port is found before another driver is fenced. */
export const openService = async (options: ServiceOptions): Promise<Service> => {
  const watcher = new Watcher(options)
  const routes = [
    ...healthRoutes(watcher),
    ...pageRoutes(watcher),
    statusRoute(watcher),
    metricsRoute(options.metrics, watcher),
    ...(options.routes ?? []),
  ]
  const { address, token, onError } = options
  const server = await listen({ address, token, routes, onError })
  return watcher.served(server)
}

const metricsRoute = (metrics: PipelineMetrics, view: ServiceView): Route => ({
  path: '/metrics',
  open: false,
  handle: async () => {
    const page = await metrics.page({ vitals: view.vitals(), ready: view.readiness().ready })
    return { status: 200, ...page }
  },
})

class Watcher implements ServiceView {
  readonly pipeline: string
  readonly version: string
  readonly history = new History(HISTORY_POINTS)
  readonly #options: ServiceOptions
  readonly #monitor = new PipelineMonitor()
  readonly #ending = new AbortController()
  #events: Subscription | null = null
  #rows = 0

  constructor(options: ServiceOptions) {
    this.#options = options
    this.pipeline = options.pipeline
    this.version = options.version
  }

  vitals(): Vitals {
    return this.#monitor.vitals(this.#options.clock.nowMs())
  }

  readiness(): Readiness {
    return readinessOf(this.vitals(), this.#options.lagBounds)
  }

  served(server: HttpServer): Service {
    return {
      url: server.url,
      follow: query => this.#follow(query),
      stopping: () => this.#monitor.stopping(),
      close: async () => {
        this.#ending.abort()
        this.#events?.unsubscribe()
        await server.close()
      },
    }
  }

  #follow({ events, probe }: ProbedQuery): void {
    this.#events = events.subscribe({
      next: event => this.#observe(event),
      error: (error: unknown) => {
        this.#observe({ kind: 'failed', code: asMillraceError(error).code })
        this.#ending.abort()
      },
      complete: () => this.#ending.abort(),
    })
    const { clock, probeIntervalMs, probeTimeoutMs } = this.#options
    const monitor = this.#monitor
    const timing = { intervalMs: durationMs(probeIntervalMs), timeoutMs: durationMs(probeTimeoutMs) }
    const signal = this.#ending.signal
    keepProbing({ ...timing, clock, signal, ask: () => probe.store(), tell: found => monitor.probed('store', found) })
    keepProbing({
      ...timing,
      clock,
      signal,
      ask: async () => monitor.bounds(await probe.source(), clock.nowMs()),
      tell: found => monitor.probed('source', found),
    })
    this.#keepHistory(signal)
  }

  #observe(event: Observed): void {
    if (event.kind === 'progress') this.#rows += event.progress.numInputRows
    this.#monitor.observe(event, this.#options.clock.nowMs())
    this.#options.metrics.observe(event)
  }

  #keepHistory(signal: AbortSignal): void {
    const record = (): void =>
      this.history.record(this.vitals(), { rows: this.#rows, residentBytes: process.memoryUsage.rss() })
    record()
    const timer = setInterval(record, HISTORY_INTERVAL_MS)
    signal.addEventListener('abort', () => clearInterval(timer), { once: true })
  }
}
