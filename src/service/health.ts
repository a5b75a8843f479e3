import { jsonReply, type Route, textReply } from './routes.ts'
import type { ServiceView } from './service-view.ts'

/**
 * `/healthz`: alive, so a supervisor has nothing to do; that it answers shows that the event loop turns. `/readyz`: 200 when the pipeline
 * does its work, else 503; the reasons are for those who may ask.
 */
export const healthRoutes = (view: ServiceView): readonly Route[] => [
  {
    path: '/healthz',
    open: true,
    handle: () => {
      const { phase, failure } = view.vitals()
      return phase === 'failed' ? textReply(503, `failed: ${failure ?? ''}`) : textReply(200, phase)
    },
  },
  {
    path: '/readyz',
    open: true,
    handle: ({ authorized }) => {
      const { ready, checks } = view.readiness()
      return jsonReply(ready ? 200 : 503, authorized ? { pipeline: view.pipeline, ready, checks } : { ready })
    },
  },
]
