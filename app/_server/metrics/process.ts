import { monitorEventLoopDelay } from 'node:perf_hooks'
import { type Family, single } from './exposition'

const NS_PER_S = 1e9
const delay = monitorEventLoopDelay({ resolution: 20 })
delay.enable()

/** This process itself; the event loop's delay is of the time since the last scrape. */
export function processFamilies(now: Date, openStreams: number): Family[] {
  const cpu = process.cpuUsage()
  const memory = process.memoryUsage()
  const uptimeS = process.uptime()
  const delayS = delay.percentile(99) / NS_PER_S
  delay.reset()
  return [
    single('idemscope_open_streams', openStreams),
    single('process_resident_memory_bytes', memory.rss),
    single('process_cpu_seconds_total', (cpu.user + cpu.system) / 1e6),
    single('process_start_time_seconds', Math.round(now.getTime() / 1000 - uptimeS)),
    single('process_uptime_seconds', uptimeS),
    single('nodejs_heap_size_used_bytes', memory.heapUsed),
    single('nodejs_eventloop_lag_p99_seconds', delayS),
  ]
}
