import { describe, expect, it } from 'vitest'
import { ERROR_KINDS } from '../../../src/base/errors.ts'
import { codeOnly, type SourceFile, sourceFiles } from './sources.ts'

const MAX_FILE_LINES = 400
const MAX_FUNCTION_LINES = 60
const EFFECTS = /\b(Date\.now|performance\.now|setTimeout|setInterval|setImmediate|Math\.random)\b/
/** Rooms at the edge and folders behind ports may know time and chance. */
const MAY_HAVE_EFFECTS = /^(wiring|cli|service)\/|^(kafka|storage\/local|sinks\/parquet|executor\/threads)\//

const longFunctions = ({ path, text }: SourceFile): readonly string[] => {
  const lines = text.split('\n')
  return lines.flatMap((line, at) => {
    if (!/(=>|\)(: [^=]+)?) \{$/.test(line) || /^\s*(if|for|while|switch|\} else|try|catch)/.test(line)) return []
    const indent = /^\s*/.exec(line)?.[0] ?? ''
    const end = lines.findIndex((other, below) => below > at && other.startsWith(`${indent}}`))
    return end - at > MAX_FUNCTION_LINES ? [`${path}:${at + 1}: ${end - at} lines`] : []
  })
}

const undocumented = ({ path, text }: SourceFile): readonly string[] => {
  const lines = text.split('\n')
  return lines.flatMap((line, at) => {
    if (!/^export (const \w+ = (async )?(<|\()|class |function )/.test(line)) return []
    // one line may serve two exports that belong together
    const documented =
      [1, 2].some(up => lines[at - up]?.endsWith('*/')) || lines[at - 1]?.startsWith('export ') === true
    return documented ? [] : [`${path}:${at + 1}: ${line.slice(0, 60)}`]
  })
}

const offences = (file: SourceFile): readonly string[] => {
  const code = codeOnly(file.text)
  const lines = file.text.split('\n').length
  return [
    ...(lines > MAX_FILE_LINES ? [`${file.path}: ${lines} lines`] : []),
    ...longFunctions(file),
    ...(/(:|<|as|,)\s*any\b[^ '-]/.test(code) ? [`${file.path}: any`] : []),
    ...(/[\w)\]]!(\.|\)|,|;|\[|$)/m.test(code) ? [`${file.path}: non-null assertion`] : []),
    ...(/(oxlint|eslint|biome|ts)-(disable|ignore|expect-error|nocheck)/.test(file.text)
      ? [`${file.path}: silenced`]
      : []),
    ...(!MAY_HAVE_EFFECTS.test(file.path) && EFFECTS.test(code) ? [`${file.path}: time or chance`] : []),
    ...(/throw new Error\(/.test(code) ? [`${file.path}: an error without a remedy`] : []),
  ]
}

describe('the style is kept', () => {
  it('files and functions are short, nothing is silenced, time and chance stay outside', () => {
    expect(sourceFiles().flatMap(offences)).toEqual([])
  })

  it('every exported function and class says what it is for', () => {
    const found = sourceFiles().flatMap(undocumented)
    expect(found).toEqual([])
  })

  it('no value of a row goes through JSON.parse', () => {
    const rowPath = /^(columnar|ingest|executor|sinks|pipeline)\//
    // once for a stored batch (its schema) and once for a plan: neither is on the way of a row
    const perBatchOrPlan = ['columnar/serialize.ts', 'pipeline/describe-plan.ts']
    const found = sourceFiles().filter(({ path, text }) => rowPath.test(path) && codeOnly(text).includes('JSON.parse'))
    expect(found.map(({ path }) => path)).toEqual(perBatchOrPlan)
  })

  it('every error code is used, and every error says what to do next', () => {
    const all = sourceFiles()
    const elsewhere = all
      .filter(({ path }) => path !== 'base/errors.ts')
      .map(({ text }) => text)
      .join('\n')
    const unused = Object.keys(ERROR_KINDS).filter(code => !elsewhere.includes(`'${code}'`) && code !== 'BUG')
    expect(unused).toEqual([])
  })

  it.each([
    ['x'.repeat(3), `${'\n'.repeat(401)}`, 'lines'],
    ['base/a.ts', 'const x = Date.now()', 'time or chance'],
    ['base/a.ts', 'const x = y!.z', 'non-null'],
    ['base/a.ts', 'const x = (y: any) => y', 'any'],
    ['base/a.ts', 'throw new Error(why)', 'remedy'],
    ['base/a.ts', `const f = () => {${'\n  x'.repeat(70)}\n}`, 'lines'],
  ])('sees an offence in %s', (path, text, offence) => {
    expect(offences({ path, text: text.replace('{\n', '{\n') }).join()).toContain(offence)
  })
})
