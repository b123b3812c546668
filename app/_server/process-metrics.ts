import { monitorEventLoopDelay } from 'node:perf_hooks'
import { type Family, gauge } from './exposition'

const NS_PER_S = 1e9
const delay = monitorEventLoopDelay({ resolution: 20 })
delay.enable()

/** This process itself; the event loop's delay is of the time since the last scrape. */
export function processFamilies(openStreams: number): Family[] {
  const cpu = process.cpuUsage()
  const memory = process.memoryUsage()
  const delayS = delay.percentile(99) / NS_PER_S
  delay.reset()
  const one = (name: string, type: Family['type'], help: string, value: number): Family => ({
    name,
    type,
    help,
    samples: [{ value }],
  })
  return [
    gauge('open_streams', 'Event streams that are open.', [{ value: openStreams }]),
    one('process_resident_memory_bytes', 'gauge', 'Resident memory.', memory.rss),
    one('process_cpu_seconds_total', 'counter', 'CPU time.', (cpu.user + cpu.system) / 1e6),
    one('process_uptime_seconds', 'gauge', 'Since the process started.', process.uptime()),
    one('nodejs_heap_size_used_bytes', 'gauge', 'Heap in use.', memory.heapUsed),
    one('nodejs_eventloop_lag_p99_seconds', 'gauge', 'Event loop delay, P99 since the last scrape.', delayS),
  ]
}
