import { Bucket } from '../../../src/sim/bucket.ts'
import { storeClient } from '../../../src/sim/store-client.ts'
import { objectStoreConformance } from '../../conformance/object-store.ts'
import { RunningWorld } from '../../support/simulated-process.ts'

const openSimulated = async () => {
  const running = new RunningWorld()
  const bucket = new Bucket(
    () => running.world.elapsedMs,
    () => undefined,
  )
  const open = () => storeClient(bucket, running.process(), () => 0)
  return { store: open(), reopen: async () => open(), close: async () => undefined }
}

// completing an upload carries no condition, as on S3
objectStoreConformance('simulated bucket', openSimulated, { publishingReplaces: true })
