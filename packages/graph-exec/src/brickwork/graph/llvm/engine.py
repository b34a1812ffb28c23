"""LLVM itself: text to object code to functions. The only room that loads it."""

from __future__ import annotations

import threading
from functools import lru_cache

import llvmlite.binding as llvm

from .strategy import Machine
from .symbols import missing_symbols

__all__ = ["Engine", "compile_text", "host"]

_lock = threading.RLock()


@lru_cache(maxsize=1)
def _target() -> tuple[llvm.TargetMachine, Machine]:
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    name, features = llvm.get_host_cpu_name(), llvm.get_host_cpu_features()
    flat = features.flatten()
    machine = llvm.Target.from_default_triple().create_target_machine(
        cpu=name, features=flat, opt=3, reloc="pic", codemodel="default"
    )
    if features.get("avx512f"):
        width, registers = 64, 32
    elif features.get("avx"):
        width, registers = 32, 16
    else:
        width, registers = 16, 32 if features.get("neon") else 16
    half = bool(features.get("f16c") or features.get("neon"))
    return machine, Machine(name, flat, width, registers, half)


def host() -> Machine:
    """The CPU that this process runs on."""
    with _lock:
        return _target()[1]


def compile_text(text: str) -> bytes:
    """Object code of a module. Raises `RuntimeError` with LLVM's words when the text is wrong."""
    with _lock:
        machine, _ = _target()
        module = llvm.parse_assembly(text)
        module.verify()
        return bytes(machine.emit_object(module))


class Engine:
    """Functions of object code that LLVM's engine loads, by name; unloaded with this object. Raises `RuntimeError`
    where it calls what is not here."""

    def __init__(self, code: bytes):
        with _lock:
            _target()  # LLVM has to know of a target before one is asked for
            machine = llvm.Target.from_default_triple().create_target_machine(opt=3, reloc="pic", codemodel="default")
            missing = missing_symbols(code)
            if missing:
                raise RuntimeError(f"llvm: compiled code needs {', '.join(missing)}, which this process does not have")
            self._engine = llvm.create_mcjit_compiler(llvm.parse_assembly(""), machine)
            self._engine.add_object_file(llvm.ObjectFileRef.from_data(code))
            self._engine.finalize_object()

    def address(self, name: str) -> int:
        with _lock:
            return self._engine.get_function_address(name)
