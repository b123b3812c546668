import { DASHBOARDS, printDashboard } from './dashboards'
import { alertRules, recordingRules } from './rules'

/** What is generated below `deploy/`: its path, and its text. A test compares them with what is there. */
export const deployFiles = (): ReadonlyMap<string, string> =>
  new Map([
    ['deploy/prometheus/recording.rules.yml', recordingRules()],
    ['deploy/prometheus/alerts.rules.yml', alertRules()],
    ...Object.keys(DASHBOARDS).map(
      (name) => [`deploy/grafana/${name}.json`, printDashboard(name as keyof typeof DASHBOARDS)] as const,
    ),
  ])
