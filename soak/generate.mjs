// The producer of a soak, a process of its own: a backlog as fast as the broker takes it, then a steady rate until SIGTERM.
//   node soak/generate.mjs <brokers> <topic> <backlog rows> <rows per second> [<burst rows per second> <burst seconds>]
// Ends with one line of JSON: how many rows each partition got.
import { register } from 'node:module'

register('../scripts/typescript.mjs', import.meta.url)
const { generate } = await import('./generator.ts')
await generate(process.argv.slice(2))
