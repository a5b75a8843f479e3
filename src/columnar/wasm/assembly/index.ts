export {
  addJsonStep,
  badRecords,
  decodeJson,
  endJsonPath,
  jsonDecoderBytes,
  jsonLeaves,
  jsonRoot,
  makeJsonDecoder,
} from './json-decoder'

/** The first address that no kernel uses for itself. */
export function firstFree(): i32 {
  return <i32>__heap_base
}
export { lz4Block } from './lz4'
export { indexRecords } from './records'
export { snappyBlock } from './snappy'
