import { publicKeyPem, signingKeys } from '@/lib/audit/signing'
import { env } from '@/lib/env'
import { readOrCreateSecrets } from '../supervisor/secrets'

// `npm run --silent audit-key`: the public keys that prove an export of the audit. Keep them away from the database.

const { IDEMSCOPE_AUDIT_KEY: given, IDEMSCOPE_DATA_DIR: folder } = env()
const seeds = given.length > 0 ? given : [readOrCreateSecrets(folder).auditKey]
process.stdout.write(signingKeys(seeds).map(publicKeyPem).join(''))
