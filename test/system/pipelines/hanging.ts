import { datagen, foreachBatch, json, pipeline, schema } from 'millrace'

/** Waits for ever in the user's own function. */
export default pipeline('hanging')
  .from(datagen({ rowsPerSecond: 1000 }), json(schema({ content_id: 'int32' })))
  .to(
    foreachBatch(async () => {
      process.stdout.write('the function hangs\n')
      await new Promise(resolve => setTimeout(resolve, 3_600_000))
    }),
  )
