"""Linking: kernels that call each other are put together once, and optimised and turned into machine code as one.

Numba makes a finished library of every function: with all that it calls linked in, optimised as a whole, turned into
machine code, and wrapped for calls from Python. Of several hundred kernels Python calls five. So a kernel that others
call stays a *part*, the intermediate code of one function; an entry kernel is the *whole*: it links each part that it
reaches once. Only the whole's own functions can be called from outside, so the optimiser may do with parts as it likes.
"""

from typing import Any

from numba.core import types
from numba.core.codegen import JITCodeLibrary
from numba.core.compiler import CompilerBase, DefaultPassBuilder
from numba.core.compiler_machinery import register_pass
from numba.core.registry import CPUDispatcher
from numba.core.typed_passes import NativeLowering


class _Part(JITCodeLibrary):
    """The code of a kernel that others call, as the compiler's intermediate code and no more."""

    def finalize(self) -> None:
        self._raise_if_finalized()
        self._finalized = True

    def _get_module_for_linking(self) -> Any:
        return self._final_module


def _reached(libraries: Any) -> list[Any]:
    """List libraries and all that they need, each once, in the order in which they are met."""
    found: dict[Any, None] = {}
    waiting = list(libraries)
    while waiting:
        library = waiting.pop(0)
        if library not in found:
            found[library] = None
            waiting += library._linking_libraries if isinstance(library, _Part) else []
    return list(found)


class _Whole(JITCodeLibrary):
    """The code of an entry kernel and of every part that it reaches."""

    def finalize(self) -> None:
        self._linking_libraries = _reached(self._linking_libraries)
        self._own = {function.name for function in self._final_module.functions if not function.is_declaration}
        super().finalize()

    def _optimize_final_module(self) -> None:
        for function in self._final_module.functions:
            if not function.is_declaration and function.name not in self._own:
                function.linkage = "internal"
        super()._optimize_final_module()


@register_pass(mutates_CFG=True, analysis_only=False)
class _LowerPart(NativeLowering):
    _name = "townlet_lower_part"

    def run_pass(self, state: Any) -> bool:
        state.library = _Part(state.targetctx.codegen(), state.func_id.func_qualname)
        state.flags.no_compile = True
        super().run_pass(state)
        # Whoever calls a compiled function finds it by its entry point; any key will do.
        state["cr"] = state["cr"]._replace(cfunc=state.library)
        state.targetctx.insert_user_function(state.library, state["cr"].fndesc, [state.library])
        return True


@register_pass(mutates_CFG=True, analysis_only=False)
class _LowerWhole(NativeLowering):
    _name = "townlet_lower_whole"

    def run_pass(self, state: Any) -> bool:
        state.library = _Whole(state.targetctx.codegen(), state.func_id.func_qualname)
        state.library.enable_object_caching()
        super().run_pass(state)
        return True


def _pipeline(state: Any, lowering: Any) -> list[Any]:
    """Return Numba's pipeline with another lowering."""
    pipeline = DefaultPassBuilder.define_nopython_pipeline(state)
    pipeline.passes = [(lowering if step is NativeLowering else step, about) for step, about in pipeline.passes]
    pipeline._finalized = False
    pipeline.finalize()
    return [pipeline]


class _PartCompiler(CompilerBase):
    def define_pipelines(self) -> list[Any]:
        return _pipeline(self.state, _LowerPart)


class _WholeCompiler(CompilerBase):
    def define_pipelines(self) -> list[Any]:
        return _pipeline(self.state, _LowerWhole)


def whole(function: Any, options: dict[str, Any], *, cached: bool) -> Any:
    """Return a compiler of a function that Python calls."""
    dispatcher = CPUDispatcher(function, targetoptions=dict(options), pipeline_class=_WholeCompiler)
    if cached:
        dispatcher.enable_caching()
    return dispatcher


_INT64: Any = types.int64


def _widened(kind: Any) -> Any:
    """Return the type as which an argument is handed on: any integer as int64, and no constant as a type of its own."""
    kind = types.unliteral(kind)
    return _INT64 if isinstance(kind, types.Integer) and kind not in (types.int64, types.uint64) else kind


class PartDispatcher(CPUDispatcher):
    """Compiles a kernel for those that call it; when Python does, as a whole of its own.

    Numba would compile a kernel anew for each width of an integer and each constant that it is called with. Integers
    are widened instead, as they are by any arithmetic.
    """

    def __init__(self, function: Any, options: dict[str, Any]) -> None:
        unwrapped = options | {"no_cpython_wrapper": True, "no_cfunc_wrapper": True}
        super().__init__(function, targetoptions=unwrapped, pipeline_class=_PartCompiler)
        self._options = options
        self._alone: Any = None

    def add_overload(self, result: Any) -> None:
        """Keep a compiled version, for other kernels alone."""
        self.overloads[tuple(result.signature.args)] = result

    def get_call_template(self, args: Any, kws: Any) -> Any:
        """Return how the kernel is called with arguments of these types."""
        named = {name: _widened(kind) for name, kind in kws.items()}
        return super().get_call_template([_widened(kind) for kind in args], named)

    def _compile_for_args(self, *args: Any, **kws: Any) -> Any:
        if self._alone is None:
            self._alone = whole(self.py_func, self._options, cached=False)
        return self._alone._compile_for_args(*args, **kws)
