export {
  assignGroups,
  countRows,
  extremeDoubles,
  extremeLongs,
  packNulls,
  packWords,
  sumDoubles,
  sumIntegers,
} from './groups'
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
export { numberTexts, numberWords, rehash } from './dictionary'
export { lz4Block } from './lz4'
export { packNumbers, prefixTexts, textExtremes } from './pages'
export { indexRecords } from './records'
export { snappyBlock } from './snappy'
export { snappyCompress } from './snappy-compress'
