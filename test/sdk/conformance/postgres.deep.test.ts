import { describeHistories } from './histories'
import { openPostgresHarness } from './postgres-harness'

describeHistories('PostgreSQL', () => openPostgresHarness())
