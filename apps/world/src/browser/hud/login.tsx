// Log-in form: logs in, or registers and then logs in.
import { useState } from "preact/hooks"
import type { TargetedSubmitEvent } from "preact"
import type { AccessToken } from "../access-token.ts"
import { login, register } from "../auth.ts"
import type { LogOutNews, LogOuts } from "../log-outs.ts"
import { useStore } from "../store.ts"

export interface LoginProps {
  /** Reason why the form is shown again. */
  readonly notice: string | undefined
  /** Name of the player whose log-in has ended; empty if there was none. */
  readonly name: string
  readonly logOuts: LogOuts
  readonly onToken: (token: AccessToken) => void
}

export function Login({ notice, name, logOuts, onToken }: LoginProps) {
  const [username, setUsername] = useState(name)
  const [password, setPassword] = useState("")
  const [error, setError] = useState(notice)
  const [busy, setBusy] = useState(false)

  async function enter(event: TargetedSubmitEvent<HTMLFormElement>): Promise<void> {
    event.preventDefault()
    if (busy) return
    setBusy(true)
    setError(undefined)
    const isNew = event.submitter instanceof HTMLButtonElement && event.submitter.value === "register"
    const player = username.trim()
    const result = await logOuts.around(player, () =>
      (isNew ? register : login)({ username: player, password }),
    )
    setBusy(false)
    if (result.ok) onToken(result.token)
    else setError(result.text)
  }

  return (
    <main class="login">
      <form class="panel login-form" onSubmit={(event) => void enter(event)}>
        <header>
          <h1>Hawser World</h1>
          <p>Walk, gather and talk with whoever is there.</p>
        </header>
        <NameField value={username} onChange={setUsername} />
        <PasswordField value={password} onChange={setPassword} isFocused={name !== ""} />
        <LogOutNote logOuts={logOuts} />
        <p class="login-error" data-testid="login-error" role="alert">
          {error}
        </p>
        <div class="login-actions">
          <button class="primary" data-testid="login-submit" type="submit" value="login" disabled={busy}>
            Log in
          </button>
          <button data-testid="register-submit" type="submit" value="register" disabled={busy}>
            New account
          </button>
        </div>
        <p class="hint">A new name has 3–50 letters, digits, _ or -; a password at least 8 characters.</p>
      </form>
    </main>
  )
}

/** Shows a log-out that the server has not done at once. */
function LogOutNote({ logOuts }: { readonly logOuts: LogOuts }) {
  const news = useStore(logOuts.news)
  return (
    <p class="login-note" data-testid="login-note" role="status">
      {news && logOutText(news)}
    </p>
  )
}

function logOutText({ kind, name }: LogOutNews): string {
  return kind === "ended"
    ? `The log-in of ${name} has ended at the server too.`
    : `${name} is logged out on this page, but the server could not end the log-in yet, and this browser still keeps it. ` +
        "This page tries again; if you close it, it goes on when it is opened next."
}

interface FieldProps {
  readonly value: string
  readonly onChange: (value: string) => void
}

function NameField({ value, onChange }: FieldProps) {
  return (
    <label>
      <span>Name</span>
      <input
        data-testid="login-username"
        name="username"
        autocomplete="username"
        autocapitalize="none"
        spellcheck={false}
        maxLength={50}
        required
        value={value}
        onInput={(event) => onChange(event.currentTarget.value)}
      />
    </label>
  )
}

function PasswordField({ value, onChange, isFocused }: FieldProps & { readonly isFocused: boolean }) {
  return (
    <label>
      <span>Password</span>
      <input
        data-testid="login-password"
        name="password"
        type="password"
        autocomplete="current-password"
        autofocus={isFocused}
        maxLength={128}
        required
        value={value}
        onInput={(event) => onChange(event.currentTarget.value)}
      />
    </label>
  )
}
