import { type Outcome, wrong } from './report.ts'
import type { Soak } from './soak.ts'
import { raiseZombies } from './zombies.ts'

/** Drivers that are stopped, replaced and woken, and what is left of the rows. */
export const runZombies = async (
  soak: Soak,
  times: number,
  chance: () => number,
  told: (text: string) => void,
): Promise<Outcome> => {
  const woken = await raiseZombies(soak, times, chance, ({ point, ending }, at) =>
    told(`${at + 1}/${times} stopped at ${point}: ended with ${ending.code ?? ending.signal}\n`),
  )
  const { figures, faults } = await soak.conclude()
  const fenced = woken.filter(each => each.fenced).length
  return {
    figures: {
      ...figures,
      'drivers that woke beside their successor': woken.length,
      'of them ended as fenced': fenced,
      ...faults,
    },
    broken: wrong({ ...faults, 'woken drivers that did not end as fenced': woken.length - fenced }),
  }
}
