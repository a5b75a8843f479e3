import { MillraceError } from '../base/errors.ts'
import type { StagedUpload } from './object-store.ts'

/** A commit lists an object of which neither the upload nor the published object is there. */
export const stagedObjectLost = ({ key, upload }: StagedUpload, location: string): MillraceError =>
  new MillraceError(
    'STAGED_OBJECT_LOST',
    `${key} is committed, but neither it nor its upload ${upload} is in ${location}`,
    {
      remedy:
        'Restore the file from a backup if something removed it. Otherwise start anew with --new-checkpoint, ' +
        'from offsets that the source still holds.',
      details: { key },
    },
  )
