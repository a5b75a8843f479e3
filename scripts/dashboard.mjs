// Writes the Grafana dashboard under deploy/ from the panels below: node scripts/dashboard.mjs
// The panels are data, so that a test can put each query to a real Prometheus.
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import commonSdk from '@grafana/grafana-foundation-sdk/common'
import dashboardSdk from '@grafana/grafana-foundation-sdk/dashboard'
import prometheusSdk from '@grafana/grafana-foundation-sdk/prometheus'
import statSdk from '@grafana/grafana-foundation-sdk/stat'
import timeseriesSdk from '@grafana/grafana-foundation-sdk/timeseries'
import { projectFolder } from './set-up.mjs'

export const DASHBOARD_FILE = join(projectFolder, 'deploy', 'grafana', 'dashboards', 'millrace.json')

const SELECTED = '{pipeline=~"$pipeline"}'
const of = (metric, more = '') => `${metric}{pipeline=~"$pipeline"${more}}`
const rate = (metric, more = '') => `rate(${of(metric, more)}[$__rate_interval])`
const quantile = (q, metric) => `histogram_quantile(${q}, sum by (pipeline, le) (${rate(`${metric}_bucket`)}))`
const meanPhase = phases =>
  ['sum', 'count']
    .map(part => `sum by (pipeline, phase) (${rate(`millrace_batch_phase_seconds_${part}`, `, phase=~"${phases}"`)})`)
    .join(' / ')

/** Every row of the dashboard with its panels: title, unit (as Grafana names it), and queries with their legends. */
export const ROWS = [
  {
    title: 'Now',
    panels: [
      {
        title: 'Ready',
        kind: 'stat',
        unit: 'bool_yes_no',
        queries: [[`min by (pipeline) (millrace_ready${SELECTED})`, '{{pipeline}}']],
      },
      {
        title: 'Rows waiting',
        kind: 'stat',
        unit: 'short',
        queries: [[`pipeline:millrace_lag_rows:sum${SELECTED}`, '{{pipeline}}']],
      },
      {
        title: 'Oldest row waiting',
        kind: 'stat',
        unit: 's',
        queries: [[`pipeline:millrace_lag_seconds:max${SELECTED}`, '{{pipeline}}']],
      },
      {
        title: 'Last batch ended',
        kind: 'stat',
        unit: 's',
        queries: [
          [`time() - max by (pipeline) (millrace_last_batch_timestamp_seconds${SELECTED})`, '{{pipeline}} ago'],
        ],
      },
      {
        title: 'Driver epoch',
        kind: 'stat',
        unit: 'none',
        queries: [[`max by (pipeline) (millrace_driver_epoch${SELECTED})`, '{{pipeline}}']],
      },
    ],
  },
  {
    title: 'Flow',
    panels: [
      {
        title: 'Input rate and limit',
        unit: 'rowsps',
        queries: [
          [`sum by (pipeline) (${rate('millrace_input_rows_total')})`, '{{pipeline}} read'],
          [`max by (pipeline) (${of('millrace_rate_limit_rows_per_second')})`, '{{pipeline}} limit'],
        ],
      },
      {
        title: 'Input and processing rate of batches',
        unit: 'rowsps',
        queries: [
          [of('millrace_input_rows_per_second'), '{{pipeline}} input'],
          [of('millrace_processed_rows_per_second'), '{{pipeline}} processing'],
        ],
      },
      {
        title: 'Bytes read',
        unit: 'Bps',
        queries: [[`sum by (pipeline) (${rate('millrace_input_bytes_total')})`, '{{pipeline}}']],
      },
      {
        title: 'Rows into sinks',
        unit: 'rowsps',
        queries: [[`sum by (pipeline, sink) (${rate('millrace_sink_rows_total')})`, '{{pipeline}} {{sink}}']],
      },
      {
        title: 'Rows that ended at a stage',
        unit: 'rowsps',
        queries: [
          [
            `sum by (pipeline, branch, stage, reason) (${rate('millrace_dropped_rows_total')})`,
            '{{branch}} {{stage}}: {{reason}}',
          ],
        ],
      },
      {
        title: 'Dead letters',
        unit: 'rowsps',
        queries: [[`sum by (pipeline, reason) (${rate('millrace_bad_rows_total')})`, '{{pipeline}} {{reason}}']],
      },
    ],
  },
  {
    title: 'Lag',
    panels: [
      {
        title: 'Rows waiting, by partition',
        unit: 'short',
        queries: [[`topk(12, ${of('millrace_lag_rows')})`, '{{topic}}/{{partition}}']],
      },
      {
        title: 'Oldest row waiting, by partition',
        unit: 's',
        queries: [[`topk(12, ${of('millrace_lag_seconds')})`, '{{topic}}/{{partition}}']],
      },
      {
        title: 'Watermark behind the clock',
        unit: 's',
        queries: [[of('millrace_watermark_lag_seconds'), '{{pipeline}}']],
      },
    ],
  },
  {
    title: 'Batches',
    panels: [
      {
        title: 'Total delay',
        unit: 's',
        queries: [
          [quantile(0.5, 'millrace_batch_total_delay_seconds'), '{{pipeline}} median'],
          [quantile(0.95, 'millrace_batch_total_delay_seconds'), '{{pipeline}} 95 %'],
        ],
      },
      {
        title: 'Scheduling delay and processing time, 95 %',
        unit: 's',
        queries: [
          [quantile(0.95, 'millrace_batch_scheduling_delay_seconds'), '{{pipeline}} scheduling'],
          [quantile(0.95, 'millrace_batch_processing_seconds'), '{{pipeline}} processing'],
        ],
      },
      {
        title: 'Batches',
        unit: 'ops',
        queries: [[`sum by (pipeline) (${rate('millrace_batches_total')})`, '{{pipeline}}']],
      },
      {
        title: 'Planning and computing, mean',
        unit: 's',
        queries: [[meanPhase('latestOffset|queryPlanning|addBatch'), '{{phase}}']],
      },
      {
        title: 'Checkpoint and publication, mean',
        unit: 's',
        queries: [[meanPhase('walCommit|prepare|commitOffsets|publish'), '{{phase}}']],
      },
    ],
  },
  {
    title: 'Process',
    panels: [
      {
        title: 'Memory',
        unit: 'bytes',
        queries: [
          [of('process_resident_memory_bytes'), '{{pipeline}} resident'],
          [of('nodejs_heap_size_used_bytes'), '{{pipeline}} heap of the driver'],
          [of('nodejs_external_memory_bytes'), '{{pipeline}} buffers of the driver'],
          [`sum by (pipeline) (${of('millrace_state_bytes')})`, '{{pipeline}} state'],
        ],
      },
      { title: 'CPU', unit: 'percentunit', queries: [[rate('process_cpu_seconds_total'), '{{pipeline}}']] },
      {
        title: 'Event-loop delay, 99 %',
        unit: 's',
        queries: [[of('nodejs_eventloop_lag_p99_seconds'), '{{pipeline}}']],
      },
      {
        title: 'State',
        unit: 'short',
        queries: [
          [of('millrace_state_rows'), '{{branch}} groups'],
          [of('millrace_state_open_windows'), '{{branch}} open windows'],
        ],
      },
      {
        title: 'Restarts in an hour',
        unit: 'none',
        queries: [[`changes(max by (pipeline) (${of('millrace_driver_epoch')})[1h:])`, '{{pipeline}}']],
      },
      {
        title: 'Answers of source and store',
        unit: 's',
        queries: [[of('millrace_probe_seconds'), '{{pipeline}} {{target}}']],
      },
      {
        title: 'Warnings and failures in an hour',
        unit: 'none',
        queries: [
          [
            `sum by (pipeline, code) (increase(${of('millrace_warnings_total')}[1h]) or increase(${of('millrace_failures_total')}[1h])) or vector(0)`,
            '{{code}}',
          ],
        ],
      },
    ],
  },
]

/** Every panel of the dashboard. */
export const PANELS = ROWS.flatMap(({ panels }) => panels)

const DATASOURCE = { type: 'prometheus', uid: 'millrace-prometheus' }
const WIDTH = 24

const panelBuilder = ({ title, kind, unit, queries }) => {
  const builder = kind === 'stat' ? new statSdk.PanelBuilder() : new timeseriesSdk.PanelBuilder()
  builder.title(title).unit(unit).datasource(DATASOURCE).min(0)
  if (kind === 'stat') builder.reduceOptions(new commonSdk.ReduceDataOptionsBuilder().calcs(['lastNotNull']))
  else builder.lineWidth(1).fillOpacity(8)
  for (const [at, [expression, legend]] of queries.entries()) {
    const refId = String.fromCodePoint(65 + at)
    builder.withTarget(new prometheusSdk.DataqueryBuilder().expr(expression).legendFormat(legend).refId(refId))
  }
  return builder
}

/** The dashboard as Grafana loads it. */
export const dashboard = () => {
  const builder = new dashboardSdk.DashboardBuilder('Millrace')
    .uid('millrace')
    .tags(['millrace'])
    .refresh('10s')
    .time({ from: 'now-30m', to: 'now' })
    .timezone('browser')
    .withVariable(
      new dashboardSdk.QueryVariableBuilder('pipeline')
        .label('Pipeline')
        .datasource(DATASOURCE)
        .query('label_values(millrace_build_info, pipeline)')
        .includeAll(true)
        .multi(true)
        .refresh(dashboardSdk.VariableRefresh.OnTimeRangeChanged),
    )
  for (const { title, panels } of ROWS) {
    builder.withRow(new dashboardSdk.RowBuilder(title))
    const perRow = Math.min(panels.length, panels[0].kind === 'stat' ? 6 : 3)
    for (const panel of panels) {
      const height = panel.kind === 'stat' ? 4 : 8
      builder.withPanel(
        panelBuilder(panel)
          .span(Math.floor(WIDTH / perRow))
          .height(height),
      )
    }
  }
  return builder.build()
}

export const dashboardText = () => `${JSON.stringify(dashboard(), null, 2)}\n`

if (process.argv[1] === import.meta.filename) {
  mkdirSync(dirname(DASHBOARD_FILE), { recursive: true })
  writeFileSync(DASHBOARD_FILE, dashboardText())
}
