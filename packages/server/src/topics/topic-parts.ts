// Parts that the topics of one server share. Must not contain code.
import type { AuthenticatedUser } from "../base/authenticate.ts"
import type { Base } from "../base/create-base.ts"
import type { Session } from "../base/session.ts"
import type { Calls } from "../calls/create-calls.ts"
import type { MiddlewareList } from "../calls/middleware.ts"
import type { Sessions } from "../session/create-sessions.ts"
import type { ServerSession } from "../session/life/server-session.ts"
import type { Hub, HubPublication } from "./hub.ts"
import type { MembershipIndex } from "./membership-index.ts"
import type { PresenceBoard } from "./presence-board.ts"
import type { TopicKinds } from "./topic-kinds.ts"
import type { TopicLog } from "./topic-log.ts"
import type { TopicReplicas } from "./topic-replicas.ts"

export interface TopicParts<User extends AuthenticatedUser>
  extends
    Base,
    Pick<Calls<User>, "limiter">,
    Pick<Sessions<User>, "registry" | "fanOut" | "compact" | "dialects"> {
  /** Middleware of `server.use`. */
  readonly middleware: MiddlewareList<Session<User>>
  readonly kinds: TopicKinds<User>
  readonly log: TopicLog<HubPublication<ServerSession<User>>>
  readonly hub: Hub<ServerSession<User>>
  readonly index: MembershipIndex<User>
  readonly board: PresenceBoard<User>
  readonly replicas: TopicReplicas<User>
}
