import { MillraceError } from '../base/errors.ts'
import { nameOfCode } from './broker-codes.ts'
import { FETCH } from './fetch-request.ts'
import { INIT_PRODUCER_ID, PRODUCE } from './produce-requests.ts'
import { FIND_COORDINATOR, LIST_OFFSETS, METADATA, OFFSET_COMMIT, type VersionRange } from './requests.ts'

const NEEDED = [FETCH, LIST_OFFSETS, METADATA, FIND_COORDINATOR, OFFSET_COMMIT, PRODUCE, INIT_PRODUCER_ID]

/** Refuses a broker that is too old for what is asked of it, before anything is asked. @throws UNSUPPORTED_BROKER */
export const checkVersions = (
  address: string,
  { code, ranges }: { readonly code: number; readonly ranges: readonly VersionRange[] },
): void => {
  if (code !== 0) throw unsupported(address, `it refused to say what it speaks: ${nameOfCode(code)}`)
  for (const { name, key, version } of NEEDED) {
    const range = ranges.find(each => each.key === key)
    if (range !== undefined && range.min <= version && version <= range.max) continue
    const spoken = range === undefined ? 'does not know it' : `speaks ${range.min} to ${range.max}`
    throw unsupported(address, `${name} version ${version} is needed, the broker ${spoken}`)
  }
}

const unsupported = (address: string, why: string): MillraceError =>
  new MillraceError('UNSUPPORTED_BROKER', `broker ${address}: ${why}`, {
    remedy: 'Use Apache Kafka 3.1 or newer, or a broker that speaks the same protocol versions.',
    details: { address },
  })
