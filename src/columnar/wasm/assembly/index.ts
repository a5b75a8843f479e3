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
