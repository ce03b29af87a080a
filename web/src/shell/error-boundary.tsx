// Keeps a fault of one page from taking the whole application with it: says so in its place, with a way on.
// Refusals of the service are no faults; pages show them themselves.

import { RotateCcw, TriangleAlert } from 'lucide-react';
import { Component, type ReactNode } from 'react';
import { sentenceOf } from '../api/errors.ts';
import { text } from '../text.ts';
import { Button } from '../ui/button.tsx';
import { EmptyState } from '../ui/surface.tsx';

interface Props {
  readonly children: ReactNode;
}

interface State {
  readonly error: unknown;
}

/** What the browsers say when code of a page cannot be fetched. */
const codeIsGone = /dynamically imported module|importing a module script|preload/i;

/** Give it the path as `key`, so that it forgets the fault on another page. */
export class ErrorBoundary extends Component<Props, State> {
  override state: State = { error: null };

  static getDerivedStateFromError(error: unknown): State {
    return { error };
  }

  override render() {
    const { error } = this.state;
    if (error === null) return this.props.children;
    const outdated = error instanceof Error && codeIsGone.test(error.message);
    return (
      <div role="alert">
        <EmptyState
          icon={TriangleAlert}
          title={text.errors.pageTitle}
          actions={
            <>
              {!outdated && (
                <Button onClick={() => this.setState({ error: null })}>{text.ui.tryAgain}</Button>
              )}
              <Button tone="primary" icon={RotateCcw} onClick={() => location.reload()}>
                {text.ui.reload}
              </Button>
            </>
          }
        >
          <p>{outdated ? text.errors.newVersion : sentenceOf(error)}</p>
        </EmptyState>
      </div>
    );
  }
}
