import { inject } from 'vitest'
import {
  type GeneratedLoad,
  type LoadOptions,
  type LoadStep,
  type LoadTarget,
  loadEvents,
  loadRecords,
} from '../../support/topic-loader.ts'

export type { LoadRecord, LoadStep } from '../../support/topic-loader.ts'

const targetOf = (topic: string): LoadTarget => ({
  producer: inject('producerPort'),
  brokers: inject('kafkaBrokers'),
  topic,
})

/** Writes records to a topic of the test run's broker. Answers how many. */
export const loadTopic = (topic: string, steps: Iterable<LoadStep>, options?: LoadOptions): Promise<number> =>
  loadRecords(targetOf(topic), steps, options)

/** Writes generated playback events: partition and offset say which event it is. */
export const loadGenerated = (topic: string, load: GeneratedLoad): Promise<number> => loadEvents(targetOf(topic), load)
