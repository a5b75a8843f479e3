import { Command } from 'commander'
import { describePlan, planAsJson } from '../pipeline/describe-plan.ts'
import { checkSinks } from '../wiring/sinks.ts'
import { bundleFor } from '../wiring/start.ts'

/** `millrace plan <pipeline.ts>`: validates a pipeline and prints what it comes down to. Touches no service. */
export const planCommand = (): Command =>
  new Command('plan')
    .description('Validate a pipeline and print its plan; no service is touched.')
    .argument('<pipeline.ts>', 'file that default-exports a pipeline')
    .option('--json', 'print the plan as JSON')
    .action(async (file: string, flags: { readonly json?: boolean }) => {
      const { plan } = await bundleFor(file)
      checkSinks(plan)
      const text = flags.json === true ? JSON.stringify(planAsJson(plan)) : describePlan(plan).join('\n')
      process.stdout.write(`${text}\n`)
    })
