import { MillraceError } from '../base/errors.ts'
import type { DriverEpoch } from '../base/units.ts'

/** Another driver has taken the pipeline over. */
export const fenced = (pipeline: string, own: DriverEpoch, seen: number): MillraceError =>
  new MillraceError('FENCED', `another driver runs ${pipeline}: its epoch is ${seen}, ours is ${own}`, {
    remedy: 'Stop one of the two; this one has stopped, and nothing that it left unfinished becomes visible.',
    details: { own, seen },
  })
