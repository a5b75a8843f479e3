import { avg, count, max, sum } from '../pipeline/aggregates.ts'
import { json } from '../pipeline/formats.ts'
import { pipeline } from '../pipeline/pipeline.ts'
import type { PipelinePlan } from '../pipeline/plan.ts'
import { schema } from '../pipeline/schema.ts'
import { foreachBatch, parquet } from '../pipeline/sinks.ts'
import { kafka } from '../pipeline/sources.ts'
import { redisView } from '../pipeline/views.ts'
import { tumbling } from '../pipeline/windows.ts'

const Play = schema({
  event_time: 'timestamp',
  content_id: 'int32',
  country: 'string',
  watch_duration: 'float64?',
  'device.type': 'string?',
})

const source = kafka({ topic: 'plays', startingOffsets: 'earliest' })

/** Rows as they are beside windows: what must land once, and what is counted from it. */
const landing = (factor: number): PipelinePlan =>
  pipeline('landing')
    .from(source, json(Play))
    .branches({
      raw: rows => rows.land().to(parquet('raw')),
      counts: rows =>
        rows
          .withColumn('weighted', 'float64', row => row.content_id * factor)
          .window(tumbling('20s'), { eventTime: 'event_time', watermark: '5s' })
          .groupBy('country')
          .aggregate({ plays: count(), watched: sum('weighted'), last: max('event_time') })
          .to(parquet('counts')),
    })

/** Lambdas, groups over all time as they change, and a function of the user. */
const working = (factor: number): PipelinePlan =>
  pipeline('working')
    .from(source, json(Play))
    .branches({
      worked: rows =>
        rows
          .filter(row => row.content_id !== 7)
          .withColumn('weighted', 'float64', row => row.content_id * factor)
          .to(parquet('worked')),
      totals: rows =>
        rows
          .groupBy('content_id')
          .aggregate({ plays: count(), mean: avg('watch_duration') })
          .outputMode('update')
          .to(
            redisView('totals', { format: 'json', top: { by: 'plays', n: 3 } }),
            foreachBatch(() => undefined),
          ),
    })

const SAMPLES: readonly (readonly PipelinePlan[])[] = [
  [landing(1), landing(3)],
  [working(1), working(3)],
]

/** The project's own subject for a seed: one pipeline in two versions of its code. */
export const samplePipelineOf = (seed: number): readonly PipelinePlan[] => SAMPLES[seed % SAMPLES.length] ?? []
