// The check itself is pure and lives in core, so that verbs on every level can call it.
export { authorise } from '@/lib/core/authorise'
