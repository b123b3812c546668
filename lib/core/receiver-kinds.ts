/** Services that can be told of alerts, in the order in which they are offered. */
export const RECEIVER_KINDS = ['webhook', 'slack', 'pagerduty', 'opsgenie', 'alertmanager', 'email'] as const
export type ReceiverKind = (typeof RECEIVER_KINDS)[number]

/** What each is called everywhere. */
export const RECEIVER_LABEL: Record<ReceiverKind, string> = {
  webhook: 'Webhook',
  slack: 'Slack',
  pagerduty: 'PagerDuty',
  opsgenie: 'Jira Service Management / Opsgenie',
  alertmanager: 'Alertmanager',
  email: 'E-mail',
}
