import { actionRoutes } from '../routes/actions'
import { alertRoutes } from '../routes/alerts'
import { auditRoutes } from '../routes/audit'
import { caseRoutes } from '../routes/cases'
import { holdRoutes } from '../routes/holds'
import { incidentRoutes } from '../routes/incidents'
import { insightRoutes } from '../routes/insight'
import { keyRoutes } from '../routes/keys'
import { lockRoutes } from '../routes/locks'
import { measureRoutes } from '../routes/measures'
import { messageRoutes } from '../routes/messages'
import { notificationRoutes } from '../routes/notification'
import { reconciliationRoutes } from '../routes/reconciliation'
import { runRoutes } from '../routes/runs'
import { sourceRoutes } from '../routes/sources'
import type { Route } from './route'

/** Every route of the JSON API. Dispatch, validation and the OpenAPI document are made of this alone. */
export const ROUTES: readonly Route[] = [
  ...measureRoutes,
  ...insightRoutes,
  ...keyRoutes,
  ...lockRoutes,
  ...holdRoutes,
  ...messageRoutes,
  ...actionRoutes,
  ...caseRoutes,
  ...reconciliationRoutes,
  ...runRoutes,
  ...alertRoutes,
  ...notificationRoutes,
  ...incidentRoutes,
  ...auditRoutes,
  ...sourceRoutes,
]
