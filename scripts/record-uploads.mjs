// What a file costs on S3, staged and published against put at once: requests and milliseconds, over the loopback interface.
//   node scripts/record-uploads.mjs     (starts a store of its own)
import { startFaultProxy } from './services/fault-proxy.mjs'
import { startS3 } from './services/s3.mjs'
import { build } from './set-up.mjs'

build()
const { openS3ObjectStore } = await import('../dist/storage/s3/s3-object-store.js')
const { systemClock, systemRandom } = await import('../dist/wiring/system.js')

const ROUNDS = 60
const WARM_UP = 10
const s3 = await startS3()
Object.assign(process.env, { AWS_ACCESS_KEY_ID: s3.accessKeyId, AWS_SECRET_ACCESS_KEY: s3.secretAccessKey })
let requests = 0
const proxy = await startFaultProxy({
  target: s3.endpoint,
  fault: () => {
    requests += 1
    return 'none'
  },
})
const open = endpoint =>
  openS3ObjectStore({
    bucket: 'millrace',
    prefix: 'uploads',
    endpoint,
    region: s3.region,
    forcePathStyle: true,
    profile: null,
    requestTimeoutMs: 10_000,
    maxAttempts: 3,
    retryTimeoutMs: 30_000,
    maxSockets: 32,
    clock: systemClock,
    random: systemRandom,
  })
const [direct, counted] = [await open(s3.endpoint), await open(proxy.endpoint)]
const ways = {
  'put at once': (store, key, bytes) => store.createOnly(key, bytes),
  'staged and published': async (store, key, bytes) => store.publish(await store.stage(key, bytes)),
}
console.log('| file | way | requests | median | p95 |\n| --- | --- | --- | --- | --- |')
for (const [label, size] of [
  ['64 KiB', 65_536],
  ['1 MiB', 1_048_576],
  ['8 MiB', 8_388_608],
  ['32 MiB', 33_554_432],
]) {
  const bytes = new Uint8Array(size).map((_, at) => at * 31)
  for (const [way, write] of Object.entries(ways)) {
    requests = 0
    await write(counted, `${label}-${way}-counted`, bytes)
    const perFile = requests
    const times = []
    for (let round = 0; round < WARM_UP + ROUNDS; round += 1) {
      const startedAt = performance.now()
      await write(direct, `${label}-${way}-${round}`, bytes)
      if (round >= WARM_UP) times.push(performance.now() - startedAt)
    }
    times.sort((a, b) => a - b)
    const at = share => `${times[Math.floor(times.length * share)].toFixed(1)} ms`
    console.log(`| ${label} | ${way} | ${perFile} | ${at(0.5)} | ${at(0.95)} |`)
  }
}
await proxy.stop()
await s3.stop()
process.exit(0)
