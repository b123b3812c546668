/** What this version's code was written against, oldest first; a test compares it with prisma/migrations. */
export const MIGRATIONS = [
  '20261122000100_console',
  '20261122000200_telemetry',
  '20261122000300_mirror',
  '20261122000400_telemetry_more',
  '20261122000500_retention',
  '20261122000510_explorer',
  '20261122000520_explorer_order',
  '20261122000600_reconciliation',
  '20261122000610_telemetry_reads',
  '20261122000700_alerts',
  '20261122000810_reconcile_speed',
  '20261122000900_telemetry_sums',
  '20261123000100_key_effect_twice',
  '20261123000200_telemetry_tens',
  '20261129050000_two_people',
  '20261129060000_span_identity',
] as const
