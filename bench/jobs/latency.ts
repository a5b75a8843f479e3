import { json, kafkaSink, pipeline, schema } from 'millrace'
import { events } from './playback.ts'

const Tick = schema({ id: 'int32', sent_at: 'float64' })

/** From Kafka to Kafka: each row goes to the topic LATENCY_TO after its batch is committed. */
export default pipeline('latency')
  .from(events(), json(Tick))
  .to(kafkaSink({ topic: process.env['LATENCY_TO'] ?? 'latency-to' }))
