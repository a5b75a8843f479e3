import type { Kernels } from '../../columnar/kernels.ts'
import type { TableEncoderFactory } from '../sink.ts'
import { SpareBuffers } from '../spare-buffers.ts'
import { ParquetTableEncoder } from './parquet-encoder.ts'
import { SpareWriters } from './spare-writers.ts'

export { emptyFile as emptyParquet } from './file-writer.ts'

/** Encoders of Parquet files, over the loops of `kernels`; for one thread. */
export const parquetEncoder = (
  kernels: Pick<Kernels, 'pageEncoder' | 'groupTable'>,
  buffers: SpareBuffers = new SpareBuffers(),
): TableEncoderFactory => {
  const tools = { pages: kernels.pageEncoder(), buffers }
  const spare = new SpareWriters()
  return options => new ParquetTableEncoder(kernels, tools, spare.of(options.schema, options.partitionBy), options)
}
