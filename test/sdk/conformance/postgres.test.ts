import { openPostgresHarness } from './postgres-harness'
import { describeStore } from './suite'

describeStore('PostgreSQL', () => openPostgresHarness())
