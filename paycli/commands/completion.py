"""`paycli completion`: the script by which a shell completes paycli's commands, options and environments."""

import click
from click.shell_completion import get_completion_class

from paycli import console
from paycli.commands.common import output_options
from paycli.console import Result

# click's own name for it: the shell sets it, and paycli then prints completions instead of doing anything.
_VARIABLE = "_PAYCLI_COMPLETE"


@click.command("completion", epilog='Example: eval "$(paycli completion bash)", for this shell alone')
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@output_options
def command(shell: str, as_json: bool) -> int:
    """Print the script by which a shell completes paycli: commands, options, environments.

    \b
    Keep it where the shell looks for it, and open a new one:
      paycli completion bash > ~/.local/share/bash-completion/completions/paycli
      paycli completion zsh > ~/.zfunc/_paycli   # with fpath+=~/.zfunc before compinit in ~/.zshrc
      paycli completion fish > ~/.config/fish/completions/paycli.fish

    bash needs 4.4 or newer, and the package bash-completion. The script asks paycli itself, so a newer paycli needs no
    newer script.
    """
    kind = get_completion_class(shell)
    assert kind is not None  # noqa: S101 - click knows these three
    script = kind(click.get_current_context().find_root().command, {}, "paycli", _VARIABLE).source()
    result = Result({"shell": shell, "script": script}, text=script)
    return console.finish(result, command="completion", environment=None, as_json=as_json)
