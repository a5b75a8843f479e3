import type { SinkFactory } from '../microbatch/bind-sinks.ts'
import type { Sink } from '../sinks/sink.ts'

/** A sink that takes everything and keeps nothing: stands for consoles and for functions of the user. */
export const silentSink = (description: string): Sink => ({
  description,
  delivery: 'atLeastOnce',
  prepare: () => Promise.resolve(null),
  publish: () => Promise.resolve(),
  discard: () => Promise.resolve(),
  clearUp: () => Promise.resolve(),
})

/** For computing without delivering. */
export const silentSinks: SinkFactory = { make: (_, name) => silentSink(name), table: silentSink }
