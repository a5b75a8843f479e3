import type { Kernels } from '../../columnar/kernels.ts'
import type { TableEncoderFactory } from '../sink.ts'
import { ParquetTableEncoder } from './parquet-encoder.ts'

export { emptyFile as emptyParquet } from './file-writer.ts'

/** Encoders of Parquet files, over the loops of `kernels`. */
export const parquetEncoder =
  (kernels: Pick<Kernels, 'pageEncoder'>): TableEncoderFactory =>
  options =>
    new ParquetTableEncoder(kernels.pageEncoder(), options)
