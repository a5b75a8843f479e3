import { createHash, randomUUID } from 'node:crypto'
import { mkdir, rename, stat, writeFile } from 'node:fs/promises'
import { basename, dirname, extname, join, resolve } from 'node:path'
import process from 'node:process'
import { pathToFileURL } from 'node:url'
import type { BuildResult, Plugin } from 'esbuild'
import { MillraceError } from '../../base/errors.ts'
import { recall, remember } from './bundle-memory.ts'
import { asNotLoadable } from './not-loadable.ts'

export interface BundleOptions {
  /** Folder for artifacts; made where it is missing. */
  readonly outDir: string
  /** The running Millrace's own module: what `import … from 'millrace'` means in the artifact. */
  readonly millraceUrl: URL
}

/**
 * Bundles a pipeline file (.ts, .mts, .js, .mjs) and everything it imports into one module that every thread can load:
 * packages are taken in, `node:` modules and Millrace itself stay imports, so that driver and workers share
 * one implementation. The name of the artifact holds a hash of its content: what did not change is not written again, and
 * where no file changed that the bundle was made from, it is not made again.
 *
 * @throws PIPELINE_NOT_LOADABLE with file and line for a missing file, a syntax error, an import that can't be found, or
 *   a file without default export
 */
export const bundlePipeline = async (path: string, { outDir, millraceUrl }: BundleOptions): Promise<URL> => {
  const entry = resolve(path)
  await requireFile(entry)
  await requireOwnFolder(resolve(outDir))
  const made = { folder: resolve(outDir), entry, millrace: millraceUrl.href }
  const known = await recall(made)
  if (known !== null) return pathToFileURL(known)
  const startedAtMs = Date.now()
  const result = await bundle(entry, resolve(outDir), millraceUrl)
  requireDefaultExport(entry, result)
  const code = result.outputFiles[0]?.contents ?? new Uint8Array(0)
  const hash = createHash('sha256').update(code).digest('hex').slice(0, 16)
  const artifact = join(resolve(outDir), `${basename(entry, extname(entry))}-${hash}.mjs`)
  await writeOnce(artifact, code)
  const inputs = Object.keys(result.metafile.inputs).map(input => resolve(dirname(entry), input))
  await remember(made, { artifact, inputs, startedAtMs })
  return pathToFileURL(artifact)
}

const requireFile = async (entry: string): Promise<void> => {
  const found = await stat(entry).catch(() => null)
  if (found?.isFile() === true) return
  throw new MillraceError('PIPELINE_NOT_LOADABLE', `there is no pipeline file ${entry}`, {
    remedy: 'Check the path; it is taken from the current folder.',
    details: { file: entry },
  })
}

/** What lies in there is run: it must be nobody else's. */
const requireOwnFolder = async (folder: string): Promise<void> => {
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const { uid } = await stat(folder)
  if (process.getuid === undefined || uid === process.getuid()) return
  throw new MillraceError(
    'PIPELINE_NOT_LOADABLE',
    `the folder ${folder} for bundled pipelines belongs to user ${uid}`,
    {
      remedy: 'Remove it, or set TMPDIR to a folder of your own.',
      details: { file: folder },
    },
  )
}

type Bundled = BuildResult<{ write: false; metafile: true }>

const bundle = async (entry: string, outDir: string, millraceUrl: URL): Promise<Bundled> => {
  try {
    // loaded only here: most starts find the bundle made
    const { build } = await import('esbuild')
    return await build({
      entryPoints: [entry],
      outfile: join(outDir, 'pipeline.mjs'),
      absWorkingDir: dirname(entry),
      bundle: true,
      write: false,
      metafile: true,
      format: 'esm',
      platform: 'node',
      target: 'node20',
      sourcemap: 'inline',
      logLevel: 'silent',
      plugins: [ownImplementation(millraceUrl)],
      // a file read relative to the pipeline is still found when the code runs from the artifact
      define: { 'import.meta.url': JSON.stringify(pathToFileURL(entry).href) },
      // CommonJS packages that are taken in call require for node's own modules
      banner: {
        js: `import { createRequire as requireFor } from 'node:module'; const require = requireFor(${JSON.stringify(entry)});`,
      },
    })
  } catch (error) {
    throw asNotLoadable(entry, error)
  }
}

/** Resolves `millrace` to the running one, wherever the pipeline file lies and whatever is installed there. */
const ownImplementation = (millraceUrl: URL): Plugin => ({
  name: 'millrace',
  setup(esbuild) {
    esbuild.onResolve({ filter: /^millrace$/ }, () => ({ path: millraceUrl.href, external: true }))
  },
})

const requireDefaultExport = (entry: string, { metafile }: Bundled): void => {
  const outputs = Object.values(metafile.outputs)
  if (outputs.some(output => output.exports.includes('default'))) return
  throw new MillraceError('PIPELINE_NOT_LOADABLE', `${entry} has no default export`, {
    remedy: "Write `export default pipeline('name').from(…)…to(…)`.",
    details: { file: entry },
  })
}

/** Writes under a name of its own first, so that another process never loads half a file. */
const writeOnce = async (artifact: string, code: Uint8Array): Promise<void> => {
  if ((await stat(artifact).catch(() => null)) !== null) return
  const unfinished = `${artifact}.${randomUUID()}`
  await writeFile(unfinished, code)
  await rename(unfinished, artifact)
}
