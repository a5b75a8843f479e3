import { setTimeout as sleep } from 'node:timers/promises'
import type { OwnServices } from './places.ts'
import type { Weather } from './store-watch.ts'
import type { ViewReader } from './view-reader.ts'

/** What is done to services beside the kills. */
export const FAULTS = [
  'redis stopped',
  'redis killed',
  'redis flushed',
  'broker stopped',
  'broker restarted',
  'store down',
  'store slow',
  'store refuses three calls of ten',
  'store loses three answers of ten',
] as const
export type Fault = (typeof FAULTS)[number]

const PAUSE_MS = 2_500

/** Does harm to services and takes it back again. */
export class Harm {
  readonly #services: OwnServices
  readonly #view: ViewReader
  readonly #chance: () => number
  #weather: 'fine' | 'slow' | 'down' | 'refused' | 'lost' = 'fine'

  constructor(services: OwnServices, view: ViewReader, chance: () => number) {
    this.#services = services
    this.#view = view
    this.#chance = chance
  }

  /** What the next call to the store meets. */
  readonly weather: Weather = () => {
    if (this.#weather !== 'refused' && this.#weather !== 'lost') return this.#weather
    return this.#chance() < 0.3 ? this.#weather : 'fine'
  }

  /** Resolves when all is well again. */
  async inflict(fault: Fault): Promise<void> {
    const { redis, kafka } = this.#services
    switch (fault) {
      case 'redis stopped':
        return stopped(redis.pid)
      case 'redis killed':
        await redis.kill()
        await sleep(PAUSE_MS)
        return redis.restart()
      case 'redis flushed':
        return this.#view.flush()
      case 'broker stopped':
        return stopped(kafka.pid)
      case 'broker restarted':
        return kafka.restart()
      case 'store down':
        return this.#under('down')
      case 'store slow':
        return this.#under('slow')
      case 'store refuses three calls of ten':
        return this.#under('refused')
      case 'store loses three answers of ten':
        return this.#under('lost')
    }
  }

  async #under(weather: 'slow' | 'down' | 'refused' | 'lost'): Promise<void> {
    this.#weather = weather
    await sleep(PAUSE_MS)
    this.#weather = 'fine'
  }
}

const stopped = async (pid: number): Promise<void> => {
  process.kill(pid, 'SIGSTOP')
  await sleep(PAUSE_MS)
  process.kill(pid, 'SIGCONT')
}
