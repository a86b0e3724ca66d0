"""References: a tuple of arrays handed from kernel to kernel as one pointer.

Numba hands tuples over by value: a town and its rules are two hundred machine words, copied at each call, and whoever
is called copies them on. Those copies were three quarters of an observation's time and most of what the compiler had
to read. A reference is the tuple's address: its members are read where they are used.
"""

from hashlib import sha256
from typing import Any

import numba
from llvmlite import ir
from numba.core import cgutils, types
from numba.core.typing.templates import AttributeTemplate
from numba.extending import infer_getattr, intrinsic, lower_getattr_generic, models, register_model

_config: Any = numba.config


class Reference(types.Type):
    """The type of a reference to a named tuple, ``target``."""

    def __init__(self, target: Any) -> None:
        self.target = target
        super().__init__(f"Reference({sha256(target.name.encode()).hexdigest()[:16]})")


@register_model(Reference)
class _ReferenceModel(models.OpaqueModel):
    """An address."""


@infer_getattr
class _ReferenceAttribute(AttributeTemplate):
    key = Reference

    def generic_resolve(self, reference: Any, name: str) -> Any:  # type: ignore[override]
        """Return the type of a member, none if the tuple has no such member."""
        fields = reference.target.fields
        return reference.target.types[fields.index(name)] if name in fields else None


def _load(builder: Any, address: Any) -> Any:
    """Load what stands at an address word by word, so that the words that nobody uses are never read."""
    kind = address.type.pointee
    if not isinstance(kind, ir.Aggregate):
        return builder.load(address)
    whole = ir.Constant(kind, ir.Undefined)
    for index in range(len(kind)):
        whole = builder.insert_value(whole, _load(builder, cgutils.gep_inbounds(builder, address, 0, index)), index)
    return whole


@lower_getattr_generic(Reference)
def _read_member(context: Any, builder: Any, kind: Any, value: Any, name: str) -> Any:
    whole = builder.bitcast(value, context.get_value_type(kind.target).as_pointer())
    return _load(builder, cgutils.gep_inbounds(builder, whole, 0, kind.target.fields.index(name)))


@intrinsic
def _refer(_: Any, whole: Any) -> Any:
    def place(__: Any, builder: Any, ___: Any, arguments: Any) -> Any:
        address = cgutils.alloca_once_value(builder, arguments[0])
        return builder.bitcast(address, cgutils.voidptr_t)

    return Reference(whole)(whole), place


def _itself(whole: Any) -> Any:
    return whole


refer: Any = _itself if _config.DISABLE_JIT else _refer
"""Return a reference to a named tuple, valid until the kernel that asked for it returns; never to be returned itself.

Where kernels run as plain Python it is the tuple itself.
"""
