import { seededRandom } from '../../src/base/random.ts'
import { SimProcess } from '../../src/sim/process.ts'
import { World } from '../../src/sim/world.ts'

/**
 * A simulated world without faults that goes on by itself: whoever asks is answered in some milliseconds of its own time.
 * For tests that know nothing of simulations.
 */
export class RunningWorld {
  readonly world = new World(seededRandom(1), () => new Promise(resolve => setImmediate(resolve)), { traced: false })
  #processes = 0
  #isGoing = false

  /** A process whose calls are all served. */
  process(): SimProcess {
    this.#processes += 1
    return new SimProcess(this.#processes, {
      world: this.world,
      fateOf: () => {
        void this.#go()
        return 'served'
      },
      latency: () => ({ toEffect: this.world.between(1, 8), toAnswer: this.world.between(1, 8) }),
      slowMs: () => 0,
      pauseMs: () => 0,
    })
  }

  async #go(): Promise<void> {
    if (this.#isGoing) return
    this.#isGoing = true
    // the call that woke us is not in the queue yet
    await Promise.resolve()
    while (await this.world.step());
    this.#isGoing = false
  }
}
