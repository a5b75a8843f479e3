// npm run bench: what a million events cost, beside kcat's bare read. `npm run bench -- --help` shows the options.
import { register } from 'node:module'
import { build, installPackages, requireNode } from '../scripts/set-up.mjs'

requireNode()
installPackages()
build()
register('../scripts/typescript.mjs', import.meta.url)
const { main } = await import('./main.ts')
process.exitCode = await main(process.argv.slice(2))
