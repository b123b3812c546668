import type { EngineName } from '@/lib/sources/engines'

type SecretField = { name: string; label: string; placeholder: string; hint: string; optional?: true }

type EngineForm = {
  label: string
  /** What its address takes; sealed as a whole when the source is connected. */
  fields: readonly SecretField[]
  search: string
  nothing: { title: string; text: string }
  /** Where the text that grants the rights is run. */
  grants: string
}

/** What a person enters to look at a store, by its engine. */
export const ENGINE_FORMS: Record<EngineName, EngineForm> = {
  postgresql: {
    label: 'PostgreSQL',
    fields: [
      {
        name: 'url',
        label: 'Connection URL',
        placeholder: 'postgres://idemscope_source:…@db/payments',
        hint: 'With a role of its own that may read. It is sealed when you connect, and never shown again.',
      },
    ],
    search: 'Look for idempotency tables',
    nothing: {
      title: 'No table that we know by its columns',
      text: 'The role may not see its schema, or the library is another one: map any table with the adapter mapped-postgres, as docs/guides/foreign-stores.md says.',
    },
    grants: 'run it in the store’s database',
  },
}

export const ENGINE_CHOICES = Object.entries(ENGINE_FORMS).map(([value, { label }]) => ({ value, label }))
